import Glibc
import Headroom
import Synchronization

/// What is fuzzed: everything that parses bytes from outside.
public enum FuzzTarget: String, CaseIterable, Sendable {
    case slots, shares, settings, serverTexts, snapshot, processes, deployment, frontDoor, door, grants, guardMemory
    case meterFile, jobTexts, rejects, timeZone, multipart, credentials, requests
}

/// Feeds a target with inputs that are made of samples, and watches that each ends in time and within bounds.
///
/// Each input is in a file before it is tried, so that the one that ends the process can be had afterwards; the target and its
/// seed stand in the error output. `HEADROOM_TEST_SEED` runs a seed again, `HEADROOM_TEST_FUZZ` says for how many minutes all
/// targets together run (`scripts/test --fuzz`); without it each has a few hundred inputs.
public enum Fuzz {
    /// No input takes so long, however busy the machine is.
    private static let patience: Duration = .seconds(60)

    /// By how much no input, nor all of them together, may leave the process larger.
    public static let mostGrowth = 512 << 20

    private static let minutes: Double? = environment("HEADROOM_TEST_FUZZ").flatMap(Double.init)

    private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// What is running, for who watches.
    private struct Running {
        var what: String
        var file: String
        var began: ContinuousClock.Instant
        var most: Int
    }

    private static let running = Mutex<[String: Running]>([:])

    private static let watchdog: Void? = try? startDetachedThread(named: "fuzz-watchdog") {
        while true {
            usleep(200_000)
            let size = residentBytes
            for running in running.withLock({ Array($0.values) }) {
                if running.began.duration(to: .now) > patience { end(running, "has not come to an end") }
                if minutes != nil, size > running.most { end(running, "takes \(size >> 20) MB") }
            }
        }
    }

    private static func end(_ running: Running, _ what: String) -> Never {
        say("\(running.what) \(what); the input is in \(running.file)")
        abort()
    }

    private static func say(_ text: String) {
        let line = Array("fuzz: \(text)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }

    private static var residentBytes: Int {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 200)
        let count = read(file, &bytes, bytes.count)
        // The second number is the pages in memory.
        let words = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
        return words.count > 1 ? (Int(words[1]) ?? 0) * Int(getpagesize()) : 0
    }

    /// Runs a target.
    ///
    /// - Parameters:
    ///   - target: The target.
    ///   - samples: Inputs as they are meant to be.
    ///   - count: How many inputs there are when no time is given.
    ///   - mostGrowth: By how many bytes the process may grow meanwhile.
    ///   - isolation: Where it runs.
    ///   - body: Takes an input, and checks what holds of every one.
    /// - Throws: What the body throws.
    public static func run(
        _ target: FuzzTarget,
        _ samples: [[UInt8]],
        count: Int = 300,
        mostGrowth: Int = mostGrowth,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (_ input: [UInt8], _ random: inout Seeded) async throws -> Void
    ) async throws {
        _ = watchdog
        let seed =
            environment("HEADROOM_TEST_SEED").flatMap(UInt64.init)
            ?? (minutes == nil ? 1 : UInt64.random(in: 1..<1 << 32))
        let file = "/tmp/headroom-fuzz-\(getpid())-\(target.rawValue)"
        let descriptor = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        precondition(descriptor >= 0, "\(file) cannot be made")
        defer {
            close(descriptor)
            unlink(file)
        }
        say("\(target.rawValue), HEADROOM_TEST_SEED=\(seed), each input in \(file) before it is tried")
        let end = minutes.map { ContinuousClock.now + .seconds($0 * 60 / Double(FuzzTarget.allCases.count)) }
        let most = residentBytes + mostGrowth
        var number: UInt64 = 0
        defer {
            running.withLock { $0[target.rawValue] = nil }
            say("\(target.rawValue), \(number) inputs")
        }
        while end.map({ ContinuousClock.now < $0 }) ?? (number < count) {
            var random = Seeded(seed &* 1_000_000_007 &+ number)
            let input = Mutation.make(samples, &random)
            input.withUnsafeBytes { bytes in
                _ = pwrite(descriptor, bytes.baseAddress, bytes.count, 0)
                ftruncate(descriptor, bytes.count)
            }
            let what = "\(target.rawValue), seed \(seed), number \(number)"
            running.withLock { $0[target.rawValue] = Running(what: what, file: file, began: .now, most: most) }
            try await body(input, &random)
            number += 1
        }
    }

    /// The same, of samples of text.
    ///
    /// - Throws: What the body throws.
    public static func run(
        _ target: FuzzTarget,
        texts: [String],
        count: Int = 300,
        mostGrowth: Int = mostGrowth,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (_ input: String, _ random: inout Seeded) async throws -> Void
    ) async throws {
        try await run(target, texts.map { Array($0.utf8) }, count: count, mostGrowth: mostGrowth) { input, random in
            try await body(String(decoding: input, as: UTF8.self), &random)
        }
    }
}

/// Changes samples: bits, bytes, pieces, numbers and signs.
private enum Mutation {
    /// Numbers at the bounds of something.
    private static let numbers = [
        "0", "-0", "-1", "1e308", "-1e308", "1e999", "nan", "inf", "-inf", "0x7f", "9223372036854775807",
        "-9223372036854775808", "9223372036854775808", "4611686018427387904", "18446744073709551615",
        "18446744073709551616", "4294967295", "4294967296", "2147483648", "65536", "99999999999999999999999", "1.5",
        "+7",
        "000000000000000000000000000001", "\u{663}\u{664}", "",
    ]

    private static let words: [UInt64] = [
        0, 1, 0xFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, .max, .max - 1,
        0x4000_0000_0000_0000,
    ]

    static func make(_ samples: [[UInt8]], _ random: inout Seeded) -> [UInt8] {
        if samples.isEmpty || random.isOne(in: 25) {
            return (0..<Int.random(in: 0...400, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        var bytes = random.pick(samples)
        for _ in 0..<Int.random(in: 0...6, using: &random) { change(&bytes, samples, &random) }
        return bytes
    }

    private static func change(_ bytes: inout [UInt8], _ samples: [[UInt8]], _ random: inout Seeded) {
        guard !bytes.isEmpty else {
            bytes = random.pick(samples)
            return
        }
        let place = Int.random(in: bytes.indices, using: &random)
        let end = min(bytes.count, place + Int.random(in: 0...max(1, min(200, bytes.count)), using: &random))
        switch Int.random(in: 0..<11, using: &random) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 4: bytes.removeSubrange(place...)
        case 5:
            let other = random.pick(samples)
            bytes = Array(bytes[..<place]) + other.suffix(Int.random(in: 0...other.count, using: &random))
        case 6, 7: plantNumber(&bytes, from: place, &random)
        case 8: bytes.insert(contentsOf: HostileText.make(&random).utf8, at: place)
        case 9:
            // A number of a record: where a program of this machine has it.
            let size = random.pick([2, 4, 8])
            let start = place / size * size
            var word = random.pick(words)
            for index in start..<min(bytes.count, start + size) {
                bytes[index] = UInt8(truncatingIfNeeded: word)
                word >>= 8
            }
        default:
            let piece = Array(bytes[place..<min(end, place + 8)])
            for _ in 0..<Int.random(in: 1...200, using: &random) { bytes.insert(contentsOf: piece, at: place) }
        }
    }

    /// Puts a number at a bound in the place of the next one that is written in digits.
    private static func plantNumber(_ bytes: inout [UInt8], from place: Int, _ random: inout Seeded) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard let start = bytes[place...].firstIndex(where: digits.contains) else { return }
        let end = bytes[start...].firstIndex { !digits.contains($0) } ?? bytes.endIndex
        bytes.replaceSubrange(start..<end, with: Array(random.pick(numbers).utf8))
    }
}
