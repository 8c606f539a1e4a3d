import ArgumentParser
import CommandSupport
import Glibc
import Headroom
import HeadroomDoor
import HeadroomWatch

/// `headroom up`: the one thing that cron starts.
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        _superCommandName: "headroom",
        abstract: "Keeps the door, the guard and the worker running, as the settings say; for a line of cron.",
        discussion: """
            Runs the door where HEADROOM_DOOR_LISTEN says where it listens, the guard, and the worker where HEADROOM_QUEUE or \
            HEADROOM_IMPORT_DIRS is set; or what HEADROOM_UP names. Each is a process of its own: what ends is started again \
            at once, and what ends again and again after pauses of up to a minute. Meanwhile clients of the door wait.

            One runs for each account of a host: a second one ends at once with 0. When the program or a settings file has \
            been replaced, or at SIGHUP, it goes on with the new one, and no client is lost. Killed by kill -9, it leaves the \
            door serving until the next start takes over. SIGTERM and --stop end all, the door last.

            Example, the line of cron:
              * * * * * headroom up --quiet --env-file /home/shop/headroom.env
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print nothing: what happens goes into a log file in the state folder.")
    var quiet = false

    @Flag(help: "End the one that runs, with all that it has started.")
    var stop = false

    func run() async throws {
        let events = SupervisorEvents()
        try await runCommand(hears: [SIGCHLD], takeSignal: events.take) {
            let loaded = try connection.loaded(program: "headroom up")
            let notes = AccountNotes(loaded.database, topic: "up")
            if stop { return try await Self.stop(loaded, notes.topicName) }
            let lock: HostLock
            do {
                lock = try await HostLock.acquire(
                    notes.topicName,
                    stateFolder: loaded.database.stateFolder,
                    program: "headroom up",
                    timeout: .zero
                )
            } catch let error as DatabaseError where error.code == .lockTaken {
                if !quiet { Console.print("Not needed: \(error.message)") }
                return
            }
            defer { withExtendedLifetime(lock) {} }
            let log = quiet ? try SupervisorLog(notes.path(ending: ".log")) : nil
            var supervisor = try Supervisor(loaded, connection, log)
            try await supervisor.run(events)
        }
    }

    /// Ends the one that runs, or the door that one has left behind.
    private static func stop(_ loaded: LoadedSettings, _ name: String) async throws {
        let settings = loaded.database
        let holder = HostLockReport.held(stateFolder: settings.stateFolder).first { $0.name == name }?.holder
        if let holder, holder.processID > 1 { kill(holder.processID, SIGTERM) }
        let patience = Supervision.patience + Supervision.patience
        // Free when it has ended; none starts meanwhile.
        let lock = try await HostLock.acquire(
            name,
            stateFolder: settings.stateFolder,
            program: "headroom up --stop",
            timeout: patience
        )
        let door = (try? DoorSettings(loaded)).map { DoorSockets.endDoor(settings, $0.places) } ?? false
        withExtendedLifetime(lock) {}
        Console.print(
            holder.map { "Ended process \($0.processID), with what it had started." }
                ?? (door ? "Nothing kept the door running; it ends." : "Nothing runs.")
        )
    }
}

/// What `headroom up` is told from outside: signals, and each second that has passed.
final class SupervisorEvents: Sendable {
    enum Event: Sendable {
        /// A child may have ended.
        case child
        /// All is to end.
        case stop
        /// The settings are to be read anew.
        case reload
        case second
    }

    let stream: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    /// Whether SIGHUP means other settings, and not a terminal that is closed.
    private let reloads = isatty(STDIN_FILENO) == 0

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    /// Takes a signal.
    func take(_ number: Int32) -> Bool {
        switch number {
        case SIGCHLD: continuation.yield(.child)
        case SIGHUP where reloads: continuation.yield(.reload)
        default: continuation.yield(.stop)
        }
        return true
    }

    /// Tells of each second, until the task is cancelled.
    func tick() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil { continuation.yield(.second) }
    }
}

/// Lets a child of `headroom up` hear that this has gone.
enum Supervised {
    /// Begins to listen, if this process is one: its environment says at which descriptor.
    ///
    /// - Parameter isDoor: Whether it is the door: that goes on, as the pages need it, until the next one takes its place.
    static func begin(isDoor: Bool) {
        guard let pipe = Variables.value("HEADROOM_UP_PIPE").flatMap({ Int32($0) }), pipe > STDERR_FILENO else {
            return
        }
        // What this one starts has another parent.
        unsetenv("HEADROOM_UP_PIPE")
        _ = fcntl(pipe, F_SETFD, FD_CLOEXEC)
        // Without a thread it only stays when it could end.
        try? startDetachedThread(named: "headroom-up", stack: 64 * 1024) {
            var byte: UInt8 = 0
            while read(pipe, &byte, 1) < 0, errno == EINTR {}
            if isDoor {
                Console.error(
                    "headroom: what kept the door running has ended; it goes on until another takes its place"
                )
            } else {
                kill(getpid(), SIGTERM)
            }
        }
    }
}
