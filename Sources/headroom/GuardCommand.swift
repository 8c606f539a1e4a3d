import ArgumentParser
import CommandSupport
import Glibc

/// `headroom guard`: becomes `headroom-guard`, the guard's own program.
///
/// The guard's history needs SQLite, which would make every other command slower to start and larger.
struct GuardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guard",
        abstract: "Watches the account: history, alerts, and idle sessions ended in time."
    )

    @Argument(parsing: .captureForPassthrough, help: "See headroom guard --help.")
    var arguments: [String] = []

    func run() throws {
        let names = ["headroom-guard", "../libexec/headroom/headroom-guard"]
        for path in Self.folder.map({ folder in names.map { "\(folder)/\($0)" } }) ?? [] {
            var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
            defer { for word in words { free(word) } }
            execv(path, &words)
            guard errno == ENOENT else {
                Console.error("headroom: \(path) cannot be run: \(String(cString: strerror(errno)))")
                throw ExitCode(1)
            }
        }
        Console.error("headroom: the guard's own program, headroom-guard, is not there.")
        Console.error("  next: install it beside this one; swift build makes both.")
        throw ExitCode(1)
    }

    /// The folder that this program is in.
    private static var folder: String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0 else { return nil }
        let path = String(decoding: buffer[..<count], as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) }
    }
}
