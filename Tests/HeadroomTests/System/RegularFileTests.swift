import Glibc
import TestSupport
import Testing

@testable import Headroom

/// What stands at a path is opened only when it is what it should be, and is its folder's own.
@Suite struct RegularFileTests {
    private let folder = TemporaryFolder()

    @Test(arguments: Planted.allCases)
    func `nothing but a regular file is opened, and nobody waits for it`(planted: Planted) throws {
        let other = folder.write("mine", to: "other")
        let path = "\(folder.path)/state"
        // Only root may make a device.
        guard planted.plant(path, beside: other) else { return #expect(planted == .device) }
        for flags in [O_RDONLY, O_WRONLY | O_APPEND, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL] {
            #expect(throws: RegularFile.Problem.self, "\(flags)") { close(try RegularFile.open(path, flags)) }
        }
        #expect(throws: RegularFile.Problem.self) { try RegularFile.read(path, atMost: 10) }
        #expect(try SourceFiles.text(other) == "mine")
        #expect(access("\(other).none", F_OK) != 0)
    }

    @Test func `a link to a device is not followed where links are`() {
        symlink("/dev/zero", "\(folder.path)/settings")
        #expect(throws: RegularFile.Problem.isNotRegular) {
            try RegularFile.read("\(folder.path)/settings", atMost: 10, links: .followed)
        }
    }

    @Test func `a file with a second name is read, and not written to`() throws {
        let path = folder.write("mine", to: "file")
        #expect(link(path, "\(folder.path)/second") == 0)
        #expect(throws: RegularFile.Problem.hasOtherNames) { close(try RegularFile.open(path, O_WRONLY)) }
        #expect(throws: RegularFile.Problem.hasOtherNames) {
            close(try RegularFile.open("\(folder.path)/second", O_RDWR | O_CREAT))
        }
        #expect(try RegularFile.read(path, atMost: 4) == Array("mine".utf8))
    }

    @Test func `no more is read than may be`() throws {
        let path = folder.write("12345", to: "file")
        #expect(try RegularFile.read(path, atMost: 5).count == 5)
        #expect(throws: RegularFile.Problem.isTooLarge(atMost: 4)) { try RegularFile.read(path, atMost: 4) }
        #expect(truncate(path, 1 << 24) == 0)
        #expect(throws: RegularFile.Problem.isTooLarge(atMost: 4)) { try RegularFile.read(path, atMost: 4) }
    }

    @Test(arguments: Planted.allCases)
    func `a whole file is put in the place of what is there, not where that leads`(planted: Planted) throws {
        let other = folder.write("mine", to: "other")
        let path = "\(folder.path)/state"
        guard planted.plant(path, beside: other) else { return #expect(planted == .device) }
        if planted == .folder {
            #expect(throws: RegularFile.Problem.self) { try RegularFile.write(path, "kept", mode: 0o660) }
        } else {
            try RegularFile.write(path, "kept", mode: 0o660)
            #expect(try RegularFile.read(path, atMost: 4) == Array("kept".utf8))
        }
        #expect(try SourceFiles.text(other) == "mine")
        #expect(access("\(other).none", F_OK) != 0)
    }

    @Test func `a whole file has the rights asked for, or the earlier one's, and its draft is gone`() throws {
        let path = "\(folder.path)/inner/file"
        mkdir("\(folder.path)/inner", 0o700)
        try RegularFile.write(path, "first", mode: 0o660)
        #expect(rights(path)?.mode == 0o660)
        chmod(path, 0o640)
        try RegularFile.write(path, "second", mode: 0o600, earlier: .passedOn, isDurable: true)
        #expect(rights(path)?.mode == 0o640)
        try RegularFile.write(path, "third", mode: 0o600, earlier: .kept)
        #expect(try RegularFile.read(path, atMost: 10) == Array("second".utf8))
        #expect(try SourceFiles.below("\(folder.path)/inner", ending: "") == [path])
        #expect(unlink(path) == 0 && rmdir("\(folder.path)/inner") == 0)
    }

    // MARK: Root in the folders of others

    private func rights(_ path: String) -> (user: uid_t, group: gid_t, mode: mode_t)? {
        var facts = stat()
        return lstat(path, &facts) == 0 ? (facts.st_uid, facts.st_gid, facts.st_mode & 0o7777) : nil
    }

    /// A user and a group that no file has but those that a test gives them.
    private static let user: uid_t = 54_321
    private static let isRoot = geteuid() == 0

    /// A folder of the user's in a folder of root's.
    private func userFolder(mode: mode_t = 0o755) -> String {
        chmod(folder.path, 0o755)
        let path = "\(folder.path)/home"
        mkdir(path, mode)
        chown(path, Self.user, Self.user)
        chmod(path, mode)
        return path
    }

    @Test(.enabled(if: isRoot, "only root can work in another user's folder"))
    func `what root makes in a user's folder is the user's`() throws {
        let home = userFolder()
        close(try StateFolder.openShared(StateFolder("\(home)/a/state").folder("locks") + "/x"))
        try AccountDirectory.replace("\(home)/a/state/text", with: "kept")
        close(try RegularFile.open("\(home)/log", O_WRONLY | O_CREAT | O_APPEND, mode: 0o640))
        for (name, mode) in [
            ("a", 0o700), ("a/state", 0o700), ("a/state/locks", 0o700), ("a/state/locks/x", 0o660),
            ("a/state/text", 0o660),
            ("log", 0o640),
        ] as [(String, mode_t)] {
            let rights = rights("\(home)/\(name)")
            #expect(rights?.user == Self.user && rights?.group == Self.user && rights?.mode == mode, "\(name)")
        }
    }

    @Test(.enabled(if: isRoot, "only root can work in another user's folder"))
    func `what root makes in a group's folder is the group's`() throws {
        let home = userFolder(mode: 0o2770)
        chown(home, 0, Self.user)
        chmod(home, 0o2770)
        close(try StateFolder.openShared(StateFolder(home).folder("locks") + "/x"))
        #expect(try #require(rights("\(home)/locks")) == (0, Self.user, 0o2770))
        #expect(try #require(rights("\(home)/locks/x")) == (0, Self.user, 0o660))
        // Another member's.
        chown("\(home)/locks", Self.user + 1, Self.user)
        chmod("\(home)/locks", 0o2770)
        chown("\(home)/locks/x", Self.user + 2, Self.user)
        close(try StateFolder.openShared(StateFolder(home).folder("locks") + "/x"))
        close(try StateFolder.openShared(StateFolder(home).folder("locks") + "/y"))
        #expect(try #require(rights("\(home)/locks/y")) == (Self.user + 1, Self.user, 0o660))
    }

    @Test(.enabled(if: isRoot, "only root can be led elsewhere by a user"), arguments: ["inner", "inner/deep"])
    func `root follows no link that a user could have put there`(below: String) throws {
        let home = userFolder()
        let target = "\(folder.path)/target"
        mkdir(target, 0o755)
        mkdir("\(target)/deep", 0o755)
        symlink(target, "\(home)/inner")
        #expect(throws: RegularFile.Problem.self) {
            close(try RegularFile.open("\(home)/\(below)/file", O_WRONLY | O_CREAT))
        }
        #expect(throws: DatabaseError.self) { try StateFolder("\(home)/\(below)").folder("locks") }
        #expect(try SourceFiles.below(target, ending: "") == [])
        #expect(access("\(target)/locks", F_OK) != 0 && access("\(target)/deep/locks", F_OK) != 0)
    }

    @Test(.enabled(if: isRoot, "only root can be led elsewhere by a user"))
    func `root follows a link that only root can have put there`() throws {
        let home = userFolder()
        symlink(home, "\(folder.path)/link")
        close(try RegularFile.open("\(folder.path)/link/./file", O_WRONLY | O_CREAT))
        #expect(rights("\(home)/file")?.user == Self.user)
    }

    @Test(.enabled(if: isRoot, "only root can be led elsewhere by a user"))
    func `root does not write to a file or folder of root's in a user's folder, and says what mends it`() throws {
        let home = userFolder()
        close(Glibc.open("\(home)/file", O_WRONLY | O_CREAT, 0o660))
        mkdir("\(home)/locks", 0o700)
        let refusal = #expect(throws: RegularFile.Problem.self) {
            close(try RegularFile.open("\(home)/file", O_WRONLY | O_CREAT))
        }
        #expect(refusal?.advice?.contains("chown -R -h \(Self.user):\(Self.user) \(home)/file. ") == true)
        let error = #expect(throws: DatabaseError.self) { try StateFolder(home).folder("locks") }
        #expect(error?.advice.contains(" \(home)/locks. ") == true)
        // Whose folder it is chooses its name, and the line is for root to copy.
        let name = "x'; touch y; '"
        mkdir("\(home)/\(name)", 0o700)
        let other = #expect(throws: DatabaseError.self) { try StateFolder(home).folder(name) }
        #expect(other?.advice.contains(" '\(home)/x'\\''; touch y; '\\'''. ") == true, "\(other?.advice ?? "")")
    }

    @Test(.enabled(if: isRoot, "only root can be told to give a file away"))
    func `a file of root's that a user has given a second name is not to be given to that user`() throws {
        let home = userFolder()
        close(Glibc.open("\(folder.path)/secret", O_WRONLY | O_CREAT, 0o600))
        link("\(folder.path)/secret", "\(home)/file")
        #expect(throws: RegularFile.Problem.hasOtherNames) { try RegularFile.read("\(home)/file", atMost: 1) }
    }

    @Test(.enabled(if: isRoot, "only root can be led elsewhere by a user"))
    func `root does not go up from a user's folder`() throws {
        let home = userFolder()
        mkdir("\(home)/inner", 0o755)
        chown("\(home)/inner", Self.user, Self.user)
        #expect(throws: RegularFile.Problem.leadsElsewhere("\(home)/inner/..")) {
            close(try RegularFile.open("\(home)/inner/../file", O_WRONLY | O_CREAT))
        }
    }

    @Test(.enabled(if: isRoot, "only root can make another user's file"))
    func `root does not write to another user's file in a folder of all`() throws {
        chmod(folder.path, 0o1777)
        let path = folder.write("theirs", to: "log")
        chown(path, Self.user, Self.user)
        #expect(throws: RegularFile.Problem.self) { close(try RegularFile.open(path, O_WRONLY | O_APPEND)) }
        // Who owns a file in a folder of root's alone, root has said.
        chmod(folder.path, 0o755)
        close(try RegularFile.open(path, O_WRONLY | O_APPEND))
    }
}
