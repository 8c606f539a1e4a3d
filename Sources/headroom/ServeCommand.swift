import ArgumentParser
import CommandSupport
import Glibc

/// A program of its own that a command becomes, because what it links would make every other command slower and larger.
enum CompanionProgram {
    /// Becomes the program; returns only by throwing.
    ///
    /// - Parameters:
    ///   - name: The program's name; it lies beside this one, or in `libexec`.
    ///   - arguments: Its arguments.
    /// - Throws: `ExitCode` when it cannot be run, after saying so.
    static func become(_ name: String, _ arguments: [String]) throws -> Never {
        let names = [name, "../libexec/headroom/\(name)"]
        for path in folder.map({ folder in names.map { "\(folder)/\($0)" } }) ?? [] {
            var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
            defer { for word in words { free(word) } }
            execv(path, &words)
            guard errno == ENOENT else {
                Console.error("headroom: \(path) cannot be run: \(String(cString: strerror(errno)))")
                throw ExitCode(1)
            }
        }
        Console.error("headroom: this command's own program, \(name), is not there.")
        Console.error("  next: install it beside this one; swift build makes both.")
        throw ExitCode(1)
    }

    /// The folder that this program is in.
    private static var folder: String? {
        ownPath.flatMap { path in path.unicodeScalars.lastIndex(of: "/").map { String(path[..<$0]) } }
    }

    /// The path of this program.
    static var ownPath: String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}

/// `headroom serve`: becomes `headroom-web`, the dashboard's own program.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves the dashboard: the account live, imports, metrics and a JSON API."
    )

    @Argument(parsing: .captureForPassthrough, help: "See headroom serve --help.")
    var arguments: [String] = []

    func run() throws {
        try CompanionProgram.become("headroom-web", arguments)
    }
}
