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
    /// - Throws: `DecodingError` when the text is none, holds a number that cannot be, or is too deep.
    static func decode<Value: Decodable>(
        _ type: Value.Type,
        _ text: String,
        names: Names = .same,
        isOurs: Bool = true
    ) throws -> Value {
        guard JSONBounds.holds(text, numbers: isOurs) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: [], debugDescription: "too deep, or a number cannot be")
            )
        }
        let decoder = JSONDecoder()
        if names == .snakeCase { decoder.keyDecodingStrategy = .convertFromSnakeCase }
        return try decoder.decode(type, from: Data(text.utf8))
    }

    /// Writes a value, its parts in the order of their names; `{}` for one that has no JSON.
    static func encode(_ value: some Encodable, names: Names = .same) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if names == .snakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
