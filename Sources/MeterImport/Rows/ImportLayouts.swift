import CLibrary
import Headroom
import HeadroomJobs

/// Options that describe a layout of files, kept under a name: in the state folder, as the JSON that a job's metadata has.
public struct ImportLayouts: Sendable {
    private let folder: String

    private static let longest = 65_536

    /// Names the place of the layouts.
    ///
    /// - Parameter stateFolder: The state folder that the settings name; `nil`, the default, for the usual one.
    public init(stateFolder: String? = nil) {
        folder = "\(DatabaseSettings.stateFolderPath(stateFolder))/layouts"
    }

    /// The names of the layouts that there are.
    public var names: [String] {
        (OpenFolder.names(in: folder) ?? []).compactMap { $0.ends(with: ".json") ? String($0.utf8.dropLast(5)) : nil }
            .filter(Self.isName).sorted()
    }

    /// Reads a layout.
    ///
    /// - Parameter name: Its name.
    /// - Returns: The options.
    /// - Throws: ``ImportError`` with `badOptions` when there is none, or it cannot be read.
    public func read(_ name: String) throws -> ImportOptions {
        guard Self.isName(name) else { throw Self.noName(name) }
        let bytes: [UInt8]
        do throws(RegularFile.Problem) {
            bytes = try RegularFile.read(path(name), atMost: Self.longest)
        } catch .system(ENOENT) {
            let known = names.isEmpty ? "None is saved yet" : "There are \(names.joined(separator: ", "))"
            throw ImportError(
                .badOptions,
                "There is no layout '\(name)' in \(folder). \(known); --save-layout saves one."
            )
        } catch {
            throw ImportError(.badOptions, "The layout \(path(name)) cannot be read: \(error).")
        }
        return try ImportOptions(metadata: String(decoding: bytes, as: UTF8.self))
    }

    /// Saves a layout, over one of that name; whose meter a file is of is no part of it.
    ///
    /// - Parameters:
    ///   - options: The options.
    ///   - name: Its name: letters, digits, `-` and `_`, 60 at most.
    /// - Throws: ``ImportError`` with `badOptions` when it cannot be written.
    public func save(_ options: ImportOptions, as name: String) throws {
        guard Self.isName(name) else { throw Self.noName(name) }
        var options = options
        (options.mpan, options.defaultSite) = (nil, nil)
        do {
            _ = try OpenFolder.making(folder, mode: 0o755)
            try RegularFile.write(path(name), options.metadata + "\n", mode: 0o644)
        } catch {
            throw ImportError(.badOptions, "The layout \(path(name)) cannot be written: \(error).")
        }
    }

    private func path(_ name: String) -> String { "\(folder)/\(name).json" }

    private static func isName(_ name: String) -> Bool {
        (1...60).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0.isDigit || $0.isLetter || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }

    private static func noName(_ name: String) -> ImportError {
        ImportError(
            .badOptions,
            "'\(shown(name, most: 60))' is no name of a layout. Use letters, digits, - and _, 60 at most."
        )
    }
}
