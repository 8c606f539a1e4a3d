import CryptoExtras
import Dispatch
import FoundationEssentials
import Headroom

/// A password as it is kept: hashed with scrypt, in the form `$scrypt$ln=15,r=8,p=1$salt$hash`.
struct Password: Sendable, Equatable {
    private let logRounds: Int
    private let blockSize: Int
    private let parallelism: Int
    private let salt: [UInt8]
    private let hash: [UInt8]

    /// What a new one costs to check: 32 MB, and some 0.1 s.
    private static let defaults = (logRounds: 15, blockSize: 8, parallelism: 1)

    /// Hashes a new password.
    static func hashed(_ text: String) async throws -> Password {
        let salt = Secret.random(count: 16)
        let (logRounds, blockSize, parallelism) = defaults
        let hash = try await derive(text, salt, logRounds, blockSize, parallelism)
        return Password(logRounds: logRounds, blockSize: blockSize, parallelism: parallelism, salt: salt, hash: hash)
    }

    private init(logRounds: Int, blockSize: Int, parallelism: Int, salt: [UInt8], hash: [UInt8]) {
        self.logRounds = logRounds
        self.blockSize = blockSize
        self.parallelism = parallelism
        self.salt = salt
        self.hash = hash
    }

    /// Reads one that was kept; `nil` when it is none, or one that would cost more than 256 MB to check.
    init?(_ text: String) {
        let parts = text.pieces(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt" else { return nil }
        var numbers: [Substring: Int] = [:]
        for pair in parts[2].pieces(separator: ",") {
            let sides = pair.pieces(separator: "=")
            guard sides.count == 2, let number = Int(sides[1]) else { return nil }
            numbers[Substring(sides[0])] = number
        }
        guard let logRounds = numbers["ln"], (10...18).contains(logRounds), let blockSize = numbers["r"],
            (1...8).contains(blockSize), let parallelism = numbers["p"], (1...4).contains(parallelism),
            let salt = Data(base64Encoded: String(parts[3])), let hash = Data(base64Encoded: String(parts[4])),
            salt.count >= 8, hash.count == 32
        else { return nil }
        self.init(
            logRounds: logRounds,
            blockSize: blockSize,
            parallelism: parallelism,
            salt: Array(salt),
            hash: Array(hash)
        )
    }

    /// The form in which it is kept.
    var text: String {
        "$scrypt$ln=\(logRounds),r=\(blockSize),p=\(parallelism)$\(Data(salt).base64EncodedString())$"
            + Data(hash).base64EncodedString()
    }

    /// Whether the text is this password.
    func matches(_ text: String) async -> Bool {
        guard let derived = try? await Self.derive(text, salt, logRounds, blockSize, parallelism) else { return false }
        return Secret.areEqual(derived, hash)
    }

    /// One at a time: many guesses at once would otherwise take all memory.
    private static let queue = DispatchQueue(label: "headroom.web.scrypt")

    private static func derive(
        _ text: String,
        _ salt: [UInt8],
        _ logRounds: Int,
        _ blockSize: Int,
        _ parallelism: Int
    ) async throws -> [UInt8] {
        try await withCheckedThrowingContinuation { continuation in
            // It takes long enough to hold up a thread that others need.
            queue.async {
                continuation.resume(
                    with: Result {
                        try KDF.Scrypt
                            .deriveKey(
                                from: Array(text.utf8),
                                salt: salt,
                                outputByteCount: 32,
                                rounds: 1 << logRounds,
                                blockSize: blockSize,
                                parallelism: parallelism
                            )
                            .withUnsafeBytes { Array($0) }
                    }
                )
            }
        }
    }
}
