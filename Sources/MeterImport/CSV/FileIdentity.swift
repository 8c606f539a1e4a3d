import SystemPackage

/// Tells whether a file is still the one of which a part has been imported.
///
/// Its size and a hash of its first 64 KiB. The time of its last change is left out: copying a file back changes that.
public struct FileIdentity: Codable, Sendable, Hashable {
    /// The file's size in bytes.
    public var size: Int

    /// The hash of its beginning, in hexadecimal.
    public var head: String

    static let headLength = 64 * 1024

    /// Looks at a file.
    ///
    /// - Parameter path: The file.
    /// - Throws: ``ImportError`` when it cannot be read.
    public init(path: String) throws {
        self = try CSVFile(CSVFile.open(path, in: nil), path: path).identity
    }

    init(size: Int, head: some Sequence<UInt8>) {
        self.size = size
        self.head = String(StableHash(head).value, radix: 16)
    }

    /// Reads a file's beginning without moving in it.
    static func head(of descriptor: FileDescriptor) throws -> [UInt8] {
        var head = [UInt8](repeating: 0, count: headLength)
        var count = 0
        while count < headLength {
            let read = try head.withUnsafeMutableBytes { bytes in
                try descriptor.read(fromAbsoluteOffset: Int64(count), into: .init(rebasing: bytes[count...]))
            }
            if read == 0 { break }
            count += read
        }
        head.removeLast(headLength - count)
        return head
    }
}

/// A hash that is the same in every run, unlike the standard library's: FNV-1a with 64 bits.
///
/// It tells apart by accident, not against an attacker: whoever can write the file can write anything into it.
struct StableHash {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    init(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
}
