import Glibc
import TestSupport
import Testing

@testable import HeadroomJobs

/// A job's row names a file, and whoever wrote the row is not the user that reads it.
@Suite struct ImportFoldersTests {
    private let folder = TemporaryFolder()

    private func text(_ file: OpenFile) -> String {
        var bytes = [UInt8](repeating: 0, count: 1000)
        let count = read(file.number, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    private func refusal(_ path: String, _ folders: ImportFolders) -> RefusedFile? {
        do throws(RefusedFile) {
            _ = try folders.open(path)
            return nil
        } catch {
            return error
        }
    }

    /// A folder `in` with a file, one `out` with a secret, and ways from the one to the other.
    private func tree() -> (inside: String, outside: String) {
        let (inside, outside) = ("\(folder.path)/in", "\(folder.path)/out")
        mkdir(inside, 0o755)
        mkdir("\(inside)/sub", 0o755)
        mkdir(outside, 0o755)
        folder.write("inside", to: "in/a.csv")
        folder.write("inside", to: "in/sub/b.csv")
        folder.write("SECRET", to: "out/s.csv")
        folder.write("SECRET", to: "out/shadow")
        symlink("\(outside)/s.csv", "\(inside)/link.csv")
        symlink("a.csv", "\(inside)/own-link.csv")
        symlink(outside, "\(inside)/way")
        symlink("sub", "\(inside)/own-way")
        symlink(inside, "\(folder.path)/alias")
        mkfifo("\(inside)/fifo.csv", 0o600)
        return (inside, outside)
    }

    @Test func `what lies in a folder is opened, by whatever way one comes to the folder`() throws {
        let (inside, _) = tree()
        for named in [inside, "\(folder.path)/alias", "\(inside)/"] {
            let folders = ImportFolders(["/nonexistent", named])
            for path in ["\(inside)/a.csv", "\(inside)/sub/b.csv", "\(folder.path)/alias/a.csv"] {
                #expect(text(try folders.open(path)) == "inside", "\(path) in \(named)")
            }
        }
    }

    @Test(arguments: [
        "IN/../out/s.csv", "IN/./a.csv", "IN//a.csv", "/IN/a.csv", "IN/a.csv/", "in/a.csv", "a.csv", "", "/", "//",
        "IN",
        "IN/sub", "IN/link.csv", "IN/own-link.csv", "IN/way/s.csv", "IN/own-way/b.csv", "IN/fifo.csv", "OUT/s.csv",
        "OUT/shadow", "/etc/passwd", "/proc/self/fd/0", "/proc/self/cwd/a.csv", "/proc/self/root/etc/passwd",
        "/dev/stdin",
        "/dev/zero", "IN/a.csv\0", "IN/\0/a.csv", "IN/a.csv\0/../../out/s.csv", "IN/none.csv", "IN/a.csv/b", "~/a.csv",
    ])
    func `every other path is refused with words, and without a byte of any file`(_ form: String) throws {
        let (inside, outside) = tree()
        let path = form.replacing("OUT", with: outside).replacing("IN", with: inside)
        for folders in [ImportFolders([inside]), ImportFolders([inside], uploads: inside)] {
            let refused = try #require(refusal(path, folders), "\(form)")
            #expect(refused.description.hasSuffix(".") && !refused.reason.isEmpty)
            #expect(!refused.description.contains("SECRET") && !refused.description.utf8.contains(0))
        }
    }

    @Test func `a path of any length is refused, and only its beginning is shown`() throws {
        let folders = ImportFolders([folder.path])
        for length in [4095, 4096, 100_000, 5_000_000] {
            let path = folder.path + "/" + String(repeating: "a", count: length - folder.path.utf8.count - 1)
            let refused = try #require(refusal(path, folders))
            #expect(refused.description.utf8.count < 5_000)
        }
        let marks = "\(folder.path)/" + String(repeating: "\u{301}", count: 1_000) + "\u{1B}[2J\u{202E}\n"
        let refused = try #require(refusal(marks, folders))
        #expect(refused.path.unicodeScalars.count <= 301)
        #expect(
            !shown("a\u{1B}[2J\u{202E}\n\u{2028}b").unicodeScalars
                .contains { [0x1B, 0x202E, 10, 0x2028].contains($0.value) }
        )
    }

    @Test func `a refusal is the same whether or not the file is there`() throws {
        let (inside, outside) = tree()
        func words(_ name: String, _ folders: ImportFolders) throws -> String {
            let path = "\(outside)/\(name)"
            return try #require(refusal(path, folders)).description.replacing(path, with: "PATH")
        }
        let folders = ImportFolders([inside])
        #expect(try words("s.csv", folders) == words("t.csv", folders))
        #expect(try words("shadow", ImportFolders()) == words("absent", ImportFolders()))
        // Also of what has a table's name and is none, where no folders are named.
        symlink("s.csv", "\(outside)/link.csv")
        mkdir("\(outside)/folder.csv", 0o755)
        mkfifo("\(outside)/fifo.csv", 0o600)
        for name in ["link.csv", "folder.csv", "fifo.csv", "none/none.csv", "s.csv/x.csv"] {
            #expect(try words(name, ImportFolders()) == words("absent.csv", ImportFolders()), "\(name)")
        }
    }

    @Test func `without folders only files with the name of a table are read, wherever they lie`() throws {
        let (_, outside) = tree()
        for name in ["x.csv", "x.CSV", "x.tsv", "x.Txt"] {
            folder.write("table", to: "out/\(name)")
            let file = try ImportFolders().open("\(outside)/\(name)")
            #expect(text(file) == "table" && !file.isShown)
        }
        for name in [".csv", "x.csv.gpg", "id_rsa", ".env", "xcsv", "x.csv\u{301}"] {
            folder.write("SECRET", to: "out/\(name)")
            #expect(refusal("\(outside)/\(name)", ImportFolders()) != nil, "\(name)")
        }
        // The uploads are read whatever they are called, and shown.
        folder.write("upload", to: "out/plain")
        let file = try ImportFolders(uploads: outside).open("\(outside)/plain")
        #expect(file.isShown)
        #expect(refusal("\(outside)/plain", ImportFolders()) != nil)
    }

    @Test func `the refusal says the setting's exact line, but for the system's folders`() throws {
        let (inside, outside) = tree()
        #expect(
            try #require(refusal("\(outside)/s.csv", ImportFolders([inside], uploads: "/up"))).advice
                .contains("set HEADROOM_IMPORT_DIRS=\(inside):\(outside) for the worker")
        )
        #expect(
            try #require(refusal("\(outside)/shadow", ImportFolders())).advice
                .contains("set HEADROOM_IMPORT_DIRS=\(outside) for the worker")
        )
        for path in ["/etc/shadow", "/root/.ssh/id_rsa", "/x", "/a:b/c"] {
            #expect(!(try #require(refusal(path, ImportFolders())).advice.contains("HEADROOM_IMPORT_DIRS=")), "\(path)")
        }
    }

    @Test func `a second name is refused in a folder that others may write to`() throws {
        let (inside, outside) = tree()
        let folders = ImportFolders([inside])
        #expect(link("\(outside)/s.csv", "\(inside)/hard.csv") == 0)
        #expect(refusal("\(inside)/hard.csv", folders) == nil)
        chmod(inside, 0o775)
        #expect(try #require(refusal("\(inside)/hard.csv", folders)).reason.contains("second name"))
        #expect(refusal("\(inside)/a.csv", folders) == nil)
        chmod(inside, 0o755)
        guard geteuid() == 0 else { return }
        chown("\(outside)/s.csv", 4242, 4242)
        #expect(try #require(refusal("\(inside)/hard.csv", folders)).reason.contains("second name"))
    }

    @Test func `only a file that lies in a folder, and is still the same, is deleted`() throws {
        let (inside, outside) = tree()
        let folders = ImportFolders([inside])
        for path in ["\(outside)/s.csv", "\(inside)/way/s.csv", "\(inside)/../out/s.csv"] {
            #expect(throws: RefusedFile.self) { try folders.identity(of: path) }
        }
        for path in ["\(inside)/link.csv", "\(inside)/fifo.csv", "\(inside)/sub"] {
            let number = try #require(try folders.identity(of: path))
            #expect(throws: RefusedFile.self, "\(path)") { try folders.delete(path, number) }
        }
        let path = "\(inside)/a.csv"
        let number = try #require(try folders.identity(of: path))
        // Kept in being by another name, so that its number is not given to the next file.
        rename(path, "\(inside)/old.csv")
        folder.write("another", to: "in/a.csv")
        #expect(try !folders.delete(path, number))
        #expect(access(path, F_OK) == 0)
        #expect(try folders.delete(path, #require(try folders.identity(of: path))))
        #expect(access(path, F_OK) != 0 && access("\(outside)/s.csv", F_OK) == 0)
        #expect(try folders.identity(of: path) == nil)
        #expect(throws: RefusedFile.self) { try ImportFolders().identity(of: "\(outside)/s.csv") }
    }

    @Test func `a folder that is swapped for a link meanwhile opens nothing else`() async throws {
        let (inside, outside) = tree()
        folder.write("SECRET", to: "out/b.csv")
        let folders = ImportFolders([inside])
        let swaps = Task {
            while !Task.isCancelled {
                rename("\(inside)/sub", "\(inside)/away")
                symlink(outside, "\(inside)/sub")
                unlink("\(inside)/sub")
                rename("\(inside)/away", "\(inside)/sub")
                await Task.yield()
            }
        }
        defer { swaps.cancel() }
        var opened = 0
        while opened < 500 {
            if let file = try? folders.open("\(inside)/sub/b.csv") {
                opened += 1
                #expect(text(file) == "inside")
            } else {
                await Task.yield()
            }
        }
    }

    @Test(arguments: 0..<40) func `whatever is opened lies inside, in any tree with any links`(seed: UInt64) throws {
        var random = SplitMix(seed)
        // Everything in it says where it really lies.
        var folders = [""]
        for _ in 0..<12 {
            let name = "\(random.pick(folders))/d\(random.below(4))"
            if mkdir(folder.path + name, 0o755) == 0 { folders.append(name) }
        }
        let inside = random.pick(Array(folders.dropFirst()))
        for name in folders {
            folder.write(name == inside || name.hasPrefix("\(inside)/") ? "in" : "out", to: "\(name)/f.csv")
        }
        for _ in 0..<25 {
            let target =
                switch random.below(4) {
                case 0: folder.path + random.pick(folders)
                case 1: folder.path + random.pick(folders) + "/f.csv"
                case 2: random.pick(["..", "../..", ".", "f.csv", "../f.csv", "d1", "../d2/d1", "d0/../../d3"])
                default: random.pick(["l0", "l1.csv", "../l2", "l3/l0"])
                }
            symlink(
                target,
                "\(folder.path)\(random.pick(folders))/l\(random.below(4))\(random.below(3) == 0 ? ".csv" : "")"
            )
        }
        let named = ImportFolders([folder.path + inside])
        var opened = 0
        for _ in 0..<3_000 {
            var path = folder.path + (random.below(2) == 0 ? inside : "")
            for _ in 0..<random.below(5) {
                path += "/" + random.pick(["d0", "d1", "d2", "d3", "l0", "l1", "l2", "l3", "..", ".", ""])
            }
            path += "/" + random.pick(["f.csv", "f.csv", "l0.csv", "l1.csv", "l2", "d1"])
            do throws(RefusedFile) {
                let file = try named.open(path)
                opened += 1
                #expect(text(file) == "in", "\(path), folder \(inside)")
            } catch {
                #expect(!error.reason.isEmpty)
            }
        }
        #expect(opened > 0)
    }
}

/// Random numbers that are the same in every run (SplitMix64).
private struct SplitMix {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((word ^ word >> 31) % UInt64(bound))
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
