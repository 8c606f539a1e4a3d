import Headroom

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Values as JSON, as a job's row keeps them.
enum JSONText {
    /// How the names of a value's parts are written.
    enum Names {
        /// As in the sources.
        case same
        /// With underscores.
        case snakeCase
    }

    /// Reads a value.
    ///
    /// - Parameters:
    ///   - type: What it is to be.
    ///   - text: The text.
    ///   - names: How the names of its parts are written.
    ///   - isOurs: Whether Headroom has written the text; else it may hold numbers of others, of any size.
    /// - Returns: The value.
    /// - Throws: `DecodingError` when the text is none, or holds a number that cannot be; ``TooDeep``.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        _ text: String,
        names: Names = .same,
        isOurs: Bool = true
    ) throws -> Value {
        guard depth(text) <= mostDepth else { throw TooDeep() }
        guard !isOurs || BelievableJSON.holds(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "a number in it cannot be"))
        }
        let decoder = JSONDecoder()
        if names == .snakeCase { decoder.keyDecodingStrategy = .convertFromSnakeCase }
        return try decoder.decode(type, from: Data(text.utf8))
    }

    /// Says that values lie in one another more deeply than in anything that Headroom or a host's page writes.
    struct TooDeep: Error {}

    private static let mostDepth = 32

    /// How many arrays and objects are open at once, at the most; those within a text count too.
    private static func depth(_ text: String) -> Int {
        var (depth, most) = (0, 0)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                most = max(most, depth)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
        }
        return most
    }

    /// Writes a value, its parts in the order of their names; `{}` for one that has no JSON.
    static func encode(_ value: some Encodable, names: Names = .same) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if names == .snakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
