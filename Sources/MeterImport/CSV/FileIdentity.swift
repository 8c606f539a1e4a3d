import CLibrary
import Headroom
import HeadroomJobs
import SystemPackage

/// Tells whether a file is still the one of which a part has been imported: its size, and a hash of all of it.
///
/// The time of its last change is left out: copying a file back changes that.
public struct FileIdentity: Codable, Sendable, Hashable {
    /// The file's size in bytes.
    public var size: Int

    /// The SHA-256 of its bytes, in hexadecimal.
    public var sha256: String

    static let headLength = 256 * 1024

    init(size: Int, sha256: String) {
        self.size = size
        self.sha256 = sha256
    }

    /// Looks at a file.
    ///
    /// - Parameter path: The file.
    /// - Throws: ``ImportError`` when it cannot be read.
    public init(path: String) throws {
        self = try FileIdentity(CSVFile.open(path, in: nil), path: path)
    }

    /// Reads an open file from end to end, without moving in it.
    ///
    /// - Throws: ``ImportError`` when it cannot be read, or holds a byte that no text has.
    init(_ file: OpenFile, path: String) throws {
        let hash = SHA256Sum()
        var size = 0
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { room.deallocate() }
        do {
            let descriptor = FileDescriptor(rawValue: file.number)
            while true {
                try Task.checkCancellation()
                let count = try descriptor.read(fromAbsoluteOffset: Int64(size), into: room)
                if count == 0 { break }
                let read = UnsafeRawBufferPointer(rebasing: room[..<count])
                if let start = read.baseAddress, let zero = memchr(start, 0, count) {
                    throw ImportError.notCSV(path, at: size + start.distance(to: UnsafeRawPointer(zero)))
                }
                hash.add(read)
                size += count
            }
        } catch let error as Errno {
            throw ImportError.unreadable(path, error)
        }
        self.size = size
        sha256 = hash.text
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
        add(bytes)
    }

    /// Adds a number, or that there is none.
    mutating func add(_ number: Int64?) {
        value = (value ^ UInt64(bitPattern: number ?? .min)) &* 0x100_0000_01b3
        value = (value ^ value >> 32) &* 0x100_0000_01b3
    }

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
}
