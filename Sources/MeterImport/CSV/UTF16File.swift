import CLibrary
import Headroom
import HeadroomJobs
import SystemPackage

/// A file in UTF-16, as spreadsheets save "Unicode text": read as what it says in UTF-8.
enum UTF16File {
    /// The file itself, or where it begins with the mark of UTF-16 its text in UTF-8, in a file without a name.
    ///
    /// That file lies in the system's folder for such (`TMPDIR`, `/tmp`), is as long as the text, and is gone with the last use.
    ///
    /// - Throws: `Errno` when it cannot be read, or there is no room.
    static func utf8(_ file: OpenFile) throws -> OpenFile {
        let source = FileDescriptor(rawValue: file.number)
        var mark: [UInt8] = [0, 0]
        let count = try mark.withUnsafeMutableBytes { try source.read(fromAbsoluteOffset: 0, into: $0) }
        guard count == 2, mark == [0xFF, 0xFE] || mark == [0xFE, 0xFF] else { return file }
        let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        // A file without a name (O_TMPFILE, which includes O_DIRECTORY).
        let nameless = FileDescriptor.OpenOptions(rawValue: 0x40_0000 | O_DIRECTORY)
        let descriptor = try FileDescriptor.open(
            FilePath(folder.isEmpty ? "/tmp" : folder),
            .readWrite,
            options: [.closeOnExec, nameless],
            permissions: .ownerReadWrite
        )
        let text = OpenFile(descriptor.rawValue, isShown: file.isShown)
        var decoder = Decoder(isLittle: mark[0] == 0xFF)
        var place: Int64 = 2
        var room = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            try Task.checkCancellation()
            let read = try room.withUnsafeMutableBytes { try source.read(fromAbsoluteOffset: place, into: $0) }
            place += Int64(read)
            for byte in room[..<read] { decoder.add(byte) }
            if read == 0 { decoder.end() }
            _ = try decoder.text.withUnsafeBytes { try descriptor.writeAll($0) }
            decoder.text.removeAll(keepingCapacity: true)
            if read == 0 { return text }
        }
    }

    /// Turns bytes of UTF-16 into UTF-8; what is no character becomes U+FFFD.
    struct Decoder {
        var text: [UInt8] = []

        private let isLittle: Bool
        private var first: UInt8?
        private var lead: UInt32?

        init(isLittle: Bool) {
            self.isLittle = isLittle
        }

        mutating func add(_ byte: UInt8) {
            guard let first else {
                first = byte
                return
            }
            self.first = nil
            let unit = isLittle ? UInt32(byte) << 8 | UInt32(first) : UInt32(first) << 8 | UInt32(byte)
            if let lead {
                self.lead = nil
                if (0xDC00...0xDFFF).contains(unit) {
                    return append(0x1_0000 + (lead - 0xD800) << 10 + (unit - 0xDC00))
                }
                append(0xFFFD)
            }
            if (0xD800...0xDBFF).contains(unit) {
                lead = unit
            } else {
                append(unit)
            }
        }

        mutating func end() {
            if first != nil || lead != nil { append(0xFFFD) }
            (first, lead) = (nil, nil)
        }

        private mutating func append(_ value: UInt32) {
            text.append(
                contentsOf: UTF8.encode(Unicode.Scalar(value) ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter
            )
        }
    }
}
