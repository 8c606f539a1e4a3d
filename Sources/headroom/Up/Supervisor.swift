import CKernel
import CommandSupport
import Glibc
import Headroom
import HeadroomDoor
import HeadroomWatch

/// Starts and ends processes as ``Supervision`` decides.
struct Supervisor {
    private typealias Program = Supervision.Program

    private let loaded: LoadedSettings
    private let connection: ConnectionOptions
    private let log: SupervisorLog?
    private let start = ContinuousClock.now

    private var supervision: Supervision
    private var children: [pid_t: Program] = [:]
    /// Its writable end is this process's alone: with it goes the last that keeps the children from hearing so.
    private var pipe: [Int32] = [-1, -1]
    private var door: DoorSettings?
    private var sockets: DoorSockets?

    /// This program, and the files of its settings, as they were at the start and a second ago.
    private let program: String
    private let watched: [String]
    private let first: [FileIdentity]
    private var last: [FileIdentity]
    private var refused: [FileIdentity]?
    /// The process that tries a new build.
    private var trial: pid_t?

    init(_ loaded: LoadedSettings, _ connection: ConnectionOptions, _ log: SupervisorLog?) throws {
        (self.loaded, self.connection, self.log) = (loaded, connection, log)
        let programs = try Self.programs(loaded)
        supervision = Supervision(programs, at: .zero)
        if programs.contains(.door) { door = try DoorSettings(loaded) }
        program = Self.ownPath
        watched = [program] + connection.settingsFiles
        first = watched.map { FileIdentity($0) }
        last = first
    }

    /// What is to run.
    private static func programs(_ loaded: LoadedSettings) throws -> [Program] {
        guard let text = try loaded.found.value(.upPrograms) else {
            let hasDoor = try loaded.found.value(.doorListen) != nil
            let hasQueue = try loaded.found.value(.queue) != nil || loaded.found.value(.importFolders) != nil
            return [.guardian] + (hasDoor ? [.door] : []) + (hasQueue ? [.worker] : [])
        }
        return try text.pieces(separator: ",")
            .map { word in
                guard let program = Program(rawValue: word.trimmed) else {
                    throw DatabaseError(
                        .settingsInvalid,
                        message: "HEADROOM_UP names '\(word.trimmed)'.",
                        advice: "It may name door, guard and work, with commas between."
                    )
                }
                return program
            }
    }

    /// The path by which this program was called, so that another one is found there when it is replaced.
    private static var ownPath: String {
        let named = CommandLine.arguments.first ?? ""
        guard named.holds("/") else { return CompanionProgram.ownPath ?? named }
        if named.begins(with: "/") { return named }
        guard let folder = getcwd(nil, 0) else { return named }
        defer { free(folder) }
        return "\(String(cString: folder))/\(named)"
    }

    private var now: Duration { start.duration(to: .now) }

    mutating func run(_ events: SupervisorEvents) async throws {
        guard Glibc.pipe(&pipe) == 0 else { throw DatabaseError.hostExhausted("descriptor", error: errno) }
        for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let inherited = Variables.value("HEADROOM_UP_SOCKETS").map(DoorSockets.read) ?? [:]
        unsetenv("HEADROOM_UP_SOCKETS")
        if let door { sockets = try await DoorSockets.open(loaded.database, door, inherited: inherited) }
        note("up", [("process", "\(getpid())"), ("version", headroomVersion)])
        let clock = Task { await events.tick() }
        defer { clock.cancel() }
        if try act() { return }
        for await event in events.stream {
            switch event {
            case .child: break
            case .stop: supervision.stop()
            case .reload: renew(at: last)
            case .second: lookAround()
            }
            reap()
            if try act() { return }
        }
    }

    // MARK: Doing

    /// Does what is to be done now; returns whether that is all.
    private mutating func act() throws -> Bool {
        while true {
            let actions = supervision.actions(at: now)
            if actions.isEmpty { return false }
            for action in actions {
                switch action {
                case .start(let program): begin(program)
                case .end(let program): signal(program, SIGTERM)
                case .kill(let program): signal(program, SIGKILL)
                case .become: become()
                case .exit:
                    sockets?.close()
                    note("down", [])
                    return true
                }
            }
        }
    }

    private mutating func begin(_ program: Program) {
        var words = [self.program, program.rawValue]
        var kept = [pipe[0]]
        if program == .worker { words.append("--wait-for-lock") }
        if program == .door, let sockets {
            // One that was left behind passes its clients on.
            words.append("--replace")
            kept += sockets.descriptors
            setenv("HEADROOM_UP_SOCKETS", sockets.text, 1)
        }
        setenv("HEADROOM_UP_PIPE", "\(pipe[0])", 1)
        defer {
            unsetenv("HEADROOM_UP_SOCKETS")
            unsetenv("HEADROOM_UP_PIPE")
        }
        var process: pid_t = 0
        let error = spawn(words + connection.arguments, kept, &process)
        if error == 0 {
            children[process] = program
            note("started", [("program", program.rawValue), ("process", "\(process)")])
        } else {
            let pause = supervision.ended(program, at: now)
            note(
                "not started: \(String(cString: strerror(error)))",
                [("program", program.rawValue), ("again_in", pause.map { "\($0.components.seconds)" })]
            )
        }
    }

    private func spawn(_ words: [String], _ kept: [Int32], _ process: inout pid_t) -> Int32 {
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        return kernel_spawn(&process, &arguments, kept, Int32(kept.count), 1)
    }

    private func signal(_ program: Program, _ number: Int32) {
        for (process, own) in children where own == program { kill(process, number) }
    }

    /// Takes note of the children that have ended, also of those of the program that this one was before.
    private mutating func reap() {
        var status: Int32 = 0
        while true {
            let process = waitpid(-1, &status, WNOHANG)
            guard process > 0 else { return }
            let ending = status & 0x7F == 0 ? "status \(status >> 8 & 0xFF)" : "signal \(status & 0x7F)"
            if process == trial {
                trial = nil
                if status == 0 {
                    renew(at: last)
                } else {
                    refused = last
                    note("the new build does not run (\(ending)): goes on with this one", [])
                }
            } else if let program = children.removeValue(forKey: process) {
                let pause = supervision.ended(program, at: now)
                note(
                    "ended with \(ending)",
                    [("program", program.rawValue), ("again_in", pause.map { "\($0.components.seconds)" })]
                )
            }
        }
    }

    // MARK: Becoming another

    /// Looks whether anything has been replaced, and has been as it is now for a second at least.
    private mutating func lookAround() {
        log?.bound()
        let seen = watched.map { FileIdentity($0) }
        defer { last = seen }
        if supervision.isLeaving || trial != nil { return }
        if let sockets, !sockets.areThere {
            note("the door's socket has been taken away: makes another", [])
            return supervision.renew(endingDoor: true)
        }
        guard seen != first, seen == last, seen != refused else { return }
        if seen[0] == first[0] { return renew(at: seen) }
        var process: pid_t = 0
        guard seen[0].isThere, spawn([program, "--version"], [], &process) == 0 else {
            refused = seen
            return
        }
        trial = process
    }

    /// Goes on with what stands on the disk, if its settings can be used.
    private mutating func renew(at seen: [FileIdentity]) {
        var endsDoor = false
        do {
            let next = try connection.sources.load(programName: "headroom up")
            let programs = try Self.programs(next)
            let nextDoor = programs.contains(.door) ? try DoorSettings(next) : nil
            // What knows the door by its account and places would not find it.
            endsDoor =
                nextDoor?.places != door?.places || next.database.username != loaded.database.username
                || next.database.endpoint != loaded.database.endpoint
        } catch {
            refused = seen
            let words = (error as? DatabaseError).map { "\($0.message) \($0.advice)" } ?? "\(error)"
            return note("the new settings cannot be used, goes on with the old ones: \(words)", [])
        }
        note("goes on with what has been replaced", [])
        supervision.renew(endingDoor: endsDoor)
    }

    /// Becomes the program that is on the disk now; goes on when that fails.
    private mutating func become() {
        if let sockets {
            setenv("HEADROOM_UP_SOCKETS", sockets.text, 1)
            sockets.keepThroughExec()
        }
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + CommandLine.arguments.dropFirst()).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        execv(program, &words)
        note("cannot become \(program): \(String(cString: strerror(errno)))", [])
        unsetenv("HEADROOM_UP_SOCKETS")
        refused = last
        supervision.goOn(at: now)
    }

    private func note(_ message: String, _ words: [(String, String?)]) {
        Console.error(LogLine.text([("time", LogLine.time()), ("msg", message)] + words))
    }
}

/// What tells a file from the one that takes its place.
private struct FileIdentity: Hashable {
    private let numbers: [Int64]

    init(_ path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0 else {
            numbers = []
            return
        }
        let modified = withUnsafeBytes(of: &facts.st_mtim) { Array($0.bindMemory(to: Int64.self)) }
        numbers =
            [Int64(bitPattern: UInt64(facts.st_dev)), Int64(bitPattern: UInt64(facts.st_ino)), Int64(facts.st_size)]
            + modified
    }

    var isThere: Bool { !numbers.isEmpty }
}

/// The file into which what is printed goes, also of the programs that are started.
struct SupervisorLog {
    private let path: String

    /// The most bytes of it, before it begins anew: 1 MB; the one before stays beside it.
    private static let most = 1 << 20

    /// Has standard output and errors go into the file.
    init(_ path: String) throws {
        self.path = path
        do throws(RegularFile.Problem) {
            let file = try RegularFile.open(path, O_WRONLY | O_CREAT | O_APPEND)
            defer { close(file) }
            dup2(file, STDOUT_FILENO)
            dup2(file, STDERR_FILENO)
            // A terminal that it was started at may go.
            let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
            if nothing >= 0 {
                dup2(nothing, STDIN_FILENO)
                close(nothing)
            }
        } catch {
            throw DatabaseError(
                .stateFolderUnusable,
                message: "The log \(path) cannot be written: \(error).",
                advice: error.advice ?? "Check the disk and the rights."
            )
        }
    }

    /// Keeps it short: what is written goes on in the same file, as all that run write into it.
    func bound() {
        var facts = stat()
        guard fstat(STDERR_FILENO, &facts) == 0, facts.st_size > Self.most else { return }
        let bytes = (try? RegularFile.read(path, atMost: Self.most * 64)) ?? []
        let kept = String(decoding: bytes.suffix(Self.most), as: UTF8.self)
        try? RegularFile.write("\(path).1", kept, mode: 0o600)
        ftruncate(STDERR_FILENO, 0)
    }
}
