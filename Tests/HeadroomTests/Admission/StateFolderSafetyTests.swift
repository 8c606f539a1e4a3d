import Glibc
import TestSupport
import Testing

@testable import Headroom

/// What other users of the machine plant in the state folder is not followed, and not believed.
@Suite final class StateFolderSafetyTests {
    private let root = TemporaryFolder()
    private var state: String { "\(root.path)/state" }

    init() { mkdir(state, 0o700) }

    deinit {
        for name in ["locks/test.lock", "locks", "bells", "memory/x", "memory"] {
            unlink("\(state)/\(name)")
            rmdir("\(state)/\(name)")
        }
        rmdir(state)
    }

    private func lock() async throws -> HostLock {
        try await HostLock.acquire("test", stateFolder: state, program: "tests", timeout: .zero)
    }

    private func refusal() async throws -> DatabaseError {
        try await #require(throws: DatabaseError.self) { _ = try await self.lock() }
    }

    @Test func `a link in the place of a file is not followed`() async throws {
        let target = root.write("mine", to: "target")
        mkdir("\(state)/locks", 0o700)
        symlink(target, "\(state)/locks/test.lock")
        #expect(try await refusal().code == .stateFolderUnusable)
        #expect(try SourceFiles.text(target) == "mine")
    }

    @Test func `a link in the place of a folder is not followed`() async throws {
        symlink(root.path, "\(state)/locks")
        let error = try await refusal()
        #expect(error.message.contains("is not a folder but a link"))
        #expect(access("\(root.path)/test.lock", F_OK) != 0)
    }

    @Test func `a lock whose file was removed stays held`() async throws {
        var held: HostLock? = try await lock()
        for _ in 0..<2 {
            unlink("\(state)/locks/test.lock")
            #expect(try await refusal().code == .lockTaken)
            #expect(try await refusal().code == .lockTaken)
        }
        withExtendedLifetime(held) {}
        held = nil
        _ = try await lock()
    }

    @Test(arguments: ["", "/locks"])
    func `a folder that every user may write to is refused`(below: String) async throws {
        _ = try await lock()
        chmod("\(state)\(below)", 0o777)
        let error = try await refusal()
        #expect(error.code == .stateFolderUnusable)
        #expect(error.advice.contains("chmod o-w \(state)\(below)"))
    }

    @Test func `the sticky bit does not make such a folder good`() async throws {
        chmod(state, 0o1777)
        #expect(try await refusal().advice.contains("chmod o-w"))
    }

    @Test func `a file is put in the place of a link, not where it leads`() throws {
        let target = root.write("mine", to: "target")
        mkdir("\(state)/memory", 0o700)
        symlink(target, "\(state)/memory/x")
        try AccountDirectory.replace("\(state)/memory/x", with: "kept")
        #expect(try SourceFiles.text(target) == "mine")
        #expect(try SourceFiles.text("\(state)/memory/x") == "kept")
    }

    @Test func `what is made is for the folder's group at most`() async throws {
        umask(0)
        defer { umask(0o022) }
        _ = try await lock()
        var information = stat()
        #expect(stat("\(state)/locks/test.lock", &information) == 0)
        #expect(information.st_mode & 0o007 == 0)
        #expect(stat("\(state)/locks", &information) == 0)
        #expect(information.st_mode & 0o007 == 0)
    }
}
