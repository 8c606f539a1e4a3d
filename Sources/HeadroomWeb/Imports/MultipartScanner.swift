import Headroom

/// Takes a form with a file apart as it comes in (`multipart/form-data`, RFC 7578), and holds no more of it than a few lines.
struct MultipartScanner: Sendable {
    /// What was found.
    enum Part: Sendable, Equatable {
        /// A field with its value.
        case field(String, String)
        /// A file begins: the field's name, and the name that its user gave it.
        case fileBegan(String, String)
        /// A piece of the file.
        case fileBytes([UInt8])
        /// The file is complete.
        case fileEnded
    }

    /// Why a form cannot be read.
    enum Flaw: Error, Equatable {
        case noBoundary
        case partTooLong
        case badPart
        case brokenOff
    }

    private enum State: Equatable {
        case preamble
        case afterDelimiter
        case head
        case field(String)
        case file
        case end
    }

    private let delimiter: [UInt8]
    private var buffer: [UInt8] = [13, 10]
    private var state = State.preamble

    /// The most bytes of a part's head, and of a field.
    static let most = 16_384

    /// - Parameter contentType: The form's content type, which names the boundary.
    /// - Throws: ``Flaw/noBoundary``.
    init(contentType: String) throws(Flaw) {
        guard contentType.lowercased().begins(with: "multipart/form-data"),
            let boundary = Self.parameter("boundary", of: contentType), (1...70).contains(boundary.utf8.count)
        else { throw .noBoundary }
        delimiter = Array("\r\n--\(boundary)".utf8)
    }

    /// Whether the form is complete.
    var isComplete: Bool { state == .end }

    /// Takes the next bytes.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(Flaw) -> [Part] {
        buffer += bytes
        var parts: [Part] = []
        while try step(&parts) {}
        return parts
    }

    private mutating func step(_ parts: inout [Part]) throws(Flaw) -> Bool {
        switch state {
        case .end:
            buffer = []
            return false
        case .preamble:
            guard let end = find(delimiter) else {
                buffer.removeFirst(max(0, buffer.count - delimiter.count))
                return false
            }
            buffer.removeFirst(end + delimiter.count)
            state = .afterDelimiter
        case .afterDelimiter:
            guard buffer.count >= 2 else { return false }
            if buffer[0] == UInt8(ascii: "-"), buffer[1] == UInt8(ascii: "-") {
                state = .end
            } else if buffer[0] == 13, buffer[1] == 10 {
                buffer.removeFirst(2)
                state = .head
            } else {
                throw .badPart
            }
        case .head:
            guard let end = find([13, 10, 13, 10]) else {
                if buffer.count > Self.most { throw .partTooLong }
                return false
            }
            let head = String(decoding: buffer[..<end], as: UTF8.self)
            buffer.removeFirst(end + 4)
            try begin(head, &parts)
        case .field(let name):
            guard let end = find(delimiter) else {
                if buffer.count > Self.most { throw .partTooLong }
                return false
            }
            guard let value = String(validating: buffer[..<end], as: UTF8.self) else { throw .badPart }
            parts.append(.field(name, value))
            buffer.removeFirst(end + delimiter.count)
            state = .afterDelimiter
        case .file:
            guard let end = find(delimiter) else {
                // The last bytes may be the beginning of the delimiter.
                let sure = buffer.count - delimiter.count + 1
                guard sure > 0 else { return false }
                parts.append(.fileBytes(Array(buffer[..<sure])))
                buffer.removeFirst(sure)
                return false
            }
            if end > 0 { parts.append(.fileBytes(Array(buffer[..<end]))) }
            parts.append(.fileEnded)
            buffer.removeFirst(end + delimiter.count)
            state = .afterDelimiter
        }
        return true
    }

    private mutating func begin(_ head: String, _ parts: inout [Part]) throws(Flaw) {
        let lines = head.pieces(where: \.endsLine)
        guard let line = lines.first(where: { $0.lowercased().begins(with: "content-disposition:") }),
            let name = Self.parameter("name", of: String(line))
        else { throw .badPart }
        if let file = Self.parameter("filename", of: String(line)) {
            parts.append(.fileBegan(name, file))
            state = .file
        } else {
            state = .field(name)
        }
    }

    private func find(_ pattern: [UInt8]) -> Int? {
        guard buffer.count >= pattern.count else { return nil }
        let last = buffer.count - pattern.count
        return buffer.withUnsafeBufferPointer { buffer in
            pattern.withUnsafeBufferPointer { pattern in
                var start = 0
                while start <= last {
                    guard let candidate = buffer[start...last].firstIndex(of: pattern[0]) else { return nil }
                    var length = 1
                    while length < pattern.count, buffer[candidate + length] == pattern[length] { length += 1 }
                    if length == pattern.count { return candidate }
                    start = candidate + 1
                }
                return nil
            }
        }
    }

    /// A parameter of a header, quoted or not; browsers write a quote within as `%22`.
    private static func parameter(_ name: String, of header: String) -> String? {
        var rest = Substring(header)
        while let semicolon = rest.unicodeScalars.firstIndex(of: ";") {
            rest = rest[rest.unicodeScalars.index(after: semicolon)...].dropping { $0 == " " }
            guard let equals = rest.unicodeScalars.firstIndex(of: "=") else { return nil }
            let key = rest[..<equals].lowercased()
            rest = rest[rest.unicodeScalars.index(after: equals)...]
            let value: Substring
            if let quoted = rest.after("\"") {
                value = quoted.leading { $0 != "\"" }
                rest = Substring(quoted[value.endIndex...].unicodeScalars.dropFirst())
            } else {
                value = rest.leading { $0 != ";" && $0 != " " }
                rest = rest[value.endIndex...]
            }
            if key == name { return String(value).replaced("%22", with: "\"") }
        }
        return nil
    }
}
