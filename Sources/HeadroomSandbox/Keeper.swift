import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// Starts a server together with a keeper, which stops the server and removes its folder when their owner ends.
///
/// The keeper is a shell in a session of its own, so that Ctrl-C at the terminal reaches neither it nor the server. It
/// reads a socket whose other end only the owner has. However the owner ends, also by kill -9, the kernel closes that end;
/// the read returns, and the keeper terminates the server, waits for it, and removes the folder, unless that is marked to
/// be kept. It makes the folder itself, so that no moment is without a keeper. When the server ends by itself the keeper
/// says so in the folder, and waits for the owner with cleaning up.
package final class Keeper: Sendable {
    private let task: Task<Void, Never>
    private let lifeline: Mutex<Int32>

    /// Takes the folder, the template of its data, then the server's command line.
    ///
    /// The process ids in it are of its own children: nobody else's are killed. A server that is only just starting may
    /// not hear the first signal, so it is sent again.
    private static let script = """
        folder=$1; template=$2; shift 2
        exec 3<&0 </dev/null >/dev/null 2>&1
        clean() {
            [ -e "$folder/keep" ] && return
            # Once more, should a program that the owner had started still write into it.
            for pause in 0.2 1 0; do rm -rf -- "$folder"; sleep $pause; [ -e "$folder" ] || return; done
        }
        [ -d "$folder" ] || mkdir -m 700 -- "$folder" || exit 1
        : > "$folder/headroom-sandbox"
        read -r go <&3 || { clean; exit; }
        [ -d "$folder/data" ] || cp -a --reflink=auto -- "$template" "$folder/data"
        "$@" 3<&- &
        server=$!
        (
            read -r line <&3
            for attempt in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do kill -TERM "$server"; sleep 0.5; done
            kill -KILL "$server"
        ) &
        watcher=$!
        wait "$server"
        kill -KILL "$watcher"
        : > "$folder/ended"
        read -r line <&3
        clean
        """

    /// Starts a keeper, which makes the folder and waits for ``startServer()``.
    ///
    /// - Parameters:
    ///   - folder: The server's folder.
    ///   - template: The data folder to copy when it has none.
    ///   - command: The server's command line.
    /// - Throws: ``SandboxError`` when there is no keeper or no folder to be had.
    package init(folder: SandboxFolder, template: String, command: [String]) async throws {
        var ends: [Int32] = [-1, -1]
        // Closed on exec: a child of this process that held our end would keep the server alive.
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0, &ends) == 0 else {
            throw SandboxError(.startFailed, "No socket pair can be had: \(Files.lastError).")
        }
        lifeline = Mutex(ends[1])
        let input = FileDescriptor(rawValue: ends[0])
        // A task of its own: it must go on when the owner's task is cancelled, as the keeper still has to clean up.
        task = Task {
            var options = PlatformOptions()
            options.createSession = true
            _ = try? await Subprocess.run(
                .path("/bin/sh"),
                arguments: Arguments(["-c", Self.script, "headroom-keeper", folder.path, template] + command),
                platformOptions: options,
                input: .fileDescriptor(input, closeAfterSpawningProcess: true),
                output: .discarded,
                error: .discarded
            )
        }
        for _ in 0..<5_000 {
            if Files.exists(folder.marker) { return }
            try? await Task.sleep(for: .milliseconds(1))
        }
        letGo()
        throw SandboxError(
            .badDirectory,
            "The folder \(folder.path) cannot be made. Check who may write in the folder above it, or set TMPDIR."
        )
    }

    deinit {
        letGo()
    }

    /// Has the keeper start the server.
    package func startServer() {
        lifeline.withLock { _ = send($0, "go\n", 3, Int32(MSG_NOSIGNAL)) }
    }

    /// Has the keeper stop the server and clean up.
    package func letGo() {
        lifeline.withLock { end in
            if end >= 0 { close(end) }
            end = -1
        }
    }

    /// Waits until the keeper has ended.
    package func ended() async {
        await task.value
    }

    /// Starts a server that outlives this process; its folder stays when it ends.
    package static func startDetached(folder: SandboxFolder, template: String, command: [String]) async throws {
        if !Files.exists(folder.data) {
            try await Program.run("/bin/cp", ["-a", "--", template, folder.data], doing: "copying the data folder")
        }
        let script = "mark=$1; shift; (setsid \"$@\"; : > \"$mark\") </dev/null >/dev/null 2>&1 &"
        try await Program.run(
            "/bin/sh",
            ["-c", script, "headroom-start", folder.endedMark] + command,
            doing: "starting the server"
        )
    }
}
