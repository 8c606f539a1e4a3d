/// The kinds of applications whose settings are read where they stand.
package enum Application: String, Sendable, Hashable, CaseIterable {
    case laravel = "Laravel"
    case symfony = "Symfony"
    case bedrock = "Bedrock"
    case wordPress = "WordPress"
    case drupal = "Drupal"
    case joomla = "Joomla"
    case magento = "Magento"
    case other = "the application"

    /// Finds the application in a folder.
    ///
    /// - Parameter folder: The folder.
    /// - Returns: Its kind; `nil` when there is none.
    package static func find(in folder: String) -> Application? { SettingsSearch.application(in: folder, [:])?.kind }
}

/// The one change by which an application goes to a door: of one plain value in the file of its settings.
///
/// It is made only where the file, read again with it, says the same as before but for this value.
package struct ApplicationEdit: Sendable, Hashable, Codable {
    /// The file.
    package var path: String

    /// The number of the line.
    package var line: Int

    /// The line as it was, without its end.
    package var old: [UInt8]

    /// What takes its place: a line, or two.
    package var new: [UInt8]

    /// The change for people, without a secret.
    package var shown: String

    /// Why an application is not changed.
    package struct Obstacle: Error, Hashable {
        package var reason: String
    }

    /// Finds the change.
    ///
    /// - Parameters:
    ///   - bytes: The file.
    ///   - path: Its path.
    ///   - kind: The kind of the application.
    ///   - isURL: Whether the server's place is a part of a URL there.
    ///   - door: Where the door listens.
    /// - Throws: ``Obstacle``.
    package init(
        _ bytes: [UInt8],
        path: String,
        kind: Application,
        isURL: Bool,
        to door: Endpoint
    ) throws(Obstacle) {
        if case .socket(let path) = door {
            // Nothing that PHP, a .env file or a URL would read as anything else.
            guard path.unicodeScalars.allSatisfy({ $0.isNameSign || $0 == "/" }) else {
                throw Obstacle(reason: "the door's path has signs in it that mean something there")
            }
        }
        let isPHP = PHPFile.isOne(bytes)
        switch (kind, isPHP, isURL) {
        case (.wordPress, true, _): self = try Self.define(bytes, path, door)
        case (.symfony, false, true): self = try Self.url(bytes, path, Setting.url.name, door)
        case (.laravel, false, true): self = try Self.url(bytes, path, SettingsLayer.frameworkURL, door)
        case (.laravel, false, false), (.other, false, false): self = try Self.names(bytes, path, door)
        case (.bedrock, false, false): self = try Self.host(bytes, path, door)
        default: throw Obstacle(reason: "where \(path) says so is not a place that Headroom changes")
        }
        guard let changed = applied(to: bytes), Self.isOnly(self, between: bytes, changed, isPHP: isPHP, door) else {
            throw Obstacle(reason: "\(path) would say something else besides")
        }
    }

    private init(_ path: String, _ line: Line, new: [UInt8], shown: String) {
        (self.path, self.line, old, self.new, self.shown) = (path, line.number, Array(line.bytes), new, shown)
    }

    /// The file with the change; `nil` when the line does not stand there once.
    package func applied(to bytes: [UInt8]) -> [UInt8]? { Self.replacing(old, with: new, in: bytes) }

    /// The file without the change, whatever else has been changed since; `nil` when what was written does not stand there once.
    package func undone(in bytes: [UInt8]) -> [UInt8]? { Self.replacing(new, with: old, in: bytes) }

    // MARK: Finding

    private struct Line {
        var number: Int
        var bytes: ArraySlice<UInt8>
    }

    private static func lines(_ bytes: [UInt8]) -> [Line] {
        bytes[...].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
            .map { Line(number: $0 + 1, bytes: $1.last == UInt8(ascii: "\r") ? $1.dropLast() : $1) }
    }

    /// The text with one whole line, or lines, replaced; `nil` when that does not stand there once.
    private static func replacing(_ old: [UInt8], with new: [UInt8], in bytes: [UInt8]) -> [UInt8]? {
        var found: [Int] = []
        for line in lines(bytes) where bytes[line.bytes.startIndex...].starts(with: old) {
            let end = line.bytes.startIndex + old.count
            // It ends where a line ends.
            let rest = bytes[end...]
            if rest.isEmpty || rest.begins(with: "\n") || rest.begins(with: "\r\n") {
                found.append(line.bytes.startIndex)
            }
        }
        guard found.count == 1, let start = found.first else { return nil }
        return bytes[..<start] + new + bytes[(start + old.count)...]
    }

    private static func define(_ bytes: [UInt8], _ path: String, _ door: Endpoint) throws(Obstacle) -> ApplicationEdit {
        let name = "DB_HOST"
        let places = PHPFile(bytes).found.filter { $0.path == ["const", name] }.map(\.place)
        guard places.count == 1, let place = places.first, case .text = place.value, let range = place.bytes else {
            throw Obstacle(reason: "\(path) does not say \(name) once and in plain words")
        }
        guard
            let line = lines(bytes)
                .first(where: { $0.bytes.startIndex <= range.lowerBound && range.upperBound <= $0.bytes.endIndex })
        else { throw Obstacle(reason: "\(name) in \(path) goes over several lines") }
        let literal = "'\(whole(door))'"
        let new = line.bytes[..<range.lowerBound] + Array(literal.utf8) + line.bytes[range.upperBound...]
        return ApplicationEdit(path, line, new: Array(new), shown: "define( 'DB_HOST', \(literal) );")
    }

    /// The door as WordPress has it, in one value.
    private static func whole(_ door: Endpoint) -> String {
        switch door {
        case .socket(let path): "localhost:\(path)"
        case .tcp(let host, let port): "\(host):\(port)"
        }
    }

    /// The lines of a `.env` file that set a name.
    private static func lines(_ bytes: [UInt8], setting name: String) -> [(line: Line, value: Range<Int>)] {
        lines(bytes)
            .compactMap { line in
                let start = line.bytes.drop(while: \.isSpace)
                guard start.starts(with: name.utf8) else { return nil }
                let rest = start.dropFirst(name.utf8.count).drop(while: \.isSpace)
                guard rest.first == UInt8(ascii: "=") else { return nil }
                return (line, rest.dropFirst().startIndex..<line.bytes.endIndex)
            }
    }

    private static func host(_ bytes: [UInt8], _ path: String, _ door: Endpoint) throws(Obstacle) -> ApplicationEdit {
        let lines = lines(bytes, setting: Setting.host.name)
        guard lines.count == 1, let (line, _) = lines.first else {
            throw Obstacle(reason: "\(path) does not set \(Setting.host.name) once")
        }
        let text = "\(Setting.host.name)='\(whole(door))'"
        return ApplicationEdit(path, line, new: Array(text.utf8), shown: text)
    }

    private static func names(_ bytes: [UInt8], _ path: String, _ door: Endpoint) throws(Obstacle) -> ApplicationEdit {
        let hosts = lines(bytes, setting: Setting.host.name)
        switch door {
        case .socket(let socket):
            let own = Setting.socket.name
            let text = Array("\(own)=\(socket)".utf8)
            let lines = lines(bytes, setting: own)
            if lines.count == 1, let (line, _) = lines.first {
                return ApplicationEdit(path, line, new: text, shown: "\(own)=\(socket)")
            }
            guard lines.isEmpty, hosts.count == 1, let (line, _) = hosts.first else {
                throw Obstacle(reason: "\(path) does not set \(lines.isEmpty ? Setting.host.name : own) once")
            }
            let isCRLF = bytes[line.bytes.endIndex...].begins(with: "\r\n")
            return ApplicationEdit(
                path,
                line,
                new: Array(line.bytes) + Array((isCRLF ? "\r\n" : "\n").utf8) + text,
                shown: "\(own)=\(socket)"
            )
        case .tcp(let host, let port):
            let ports = lines(bytes, setting: Setting.port.name)
            guard ports.count == 1, let (line, _) = ports.first, hosts.count == 1, let (other, value) = hosts.first,
                other.bytes[value].trimmed.elementsEqual(host.utf8)
            else { throw Obstacle(reason: "\(path) does not set DB_HOST=\(host) and DB_PORT once each") }
            let text = "\(Setting.port.name)=\(port)"
            return ApplicationEdit(path, line, new: Array(text.utf8), shown: text)
        }
    }

    private static func url(
        _ bytes: [UInt8],
        _ path: String,
        _ name: String,
        _ door: Endpoint
    ) throws(Obstacle) -> ApplicationEdit {
        let lines = lines(bytes, setting: name)
        guard lines.count == 1, let (line, range) = lines.first else {
            throw Obstacle(reason: "\(path) does not set \(name) once")
        }
        let value = line.bytes[range]
        // mysql://USER:PASSWORD@HOST:PORT/DATABASE?OPTIONS, in quotes or not.
        guard let scheme = value.firstIndex(of: UInt8(ascii: ":")), value[scheme...].begins(with: "://") else {
            throw Obstacle(reason: "\(name) in \(path) is no plain URL")
        }
        let rest = value[(scheme + 3)...]
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")),
            let at = rest[..<slash].lastIndex(of: UInt8(ascii: "@"))
        else { throw Obstacle(reason: "\(name) in \(path) is no plain URL") }
        let tail = rest[slash...]
        let end = tail.firstIndex { "\"' \t".utf8.contains($0) } ?? tail.endIndex
        var new = Array(line.bytes[...at])
        let shown: String
        switch door {
        case .socket(let socket):
            guard !tail[..<end].contains(UInt8(ascii: "#")), !tail.text.lowercased().holds("socket") else {
                throw Obstacle(reason: "\(name) in \(path) names a socket already")
            }
            let option = "unix_socket=\(socket)"
            let mark = tail[..<end].contains(UInt8(ascii: "?")) ? "&" : "?"
            new += Array("localhost".utf8) + tail[..<end] + Array("\(mark)\(option)".utf8) + tail[end...]
            shown = "\(name)=mysql://...@localhost/...\(mark)\(option)"
        case .tcp(let host, let port):
            new += Array("\(host):\(port)".utf8) + tail
            shown = "\(name)=mysql://...@\(host):\(port)/..."
        }
        return ApplicationEdit(path, line, new: new, shown: shown)
    }

    // MARK: Proving

    /// Whether the file, read again, leads to the door and says what it said before of all else.
    private static func isOnly(
        _ edit: ApplicationEdit,
        between old: [UInt8],
        _ new: [UInt8],
        isPHP: Bool,
        _ door: Endpoint
    ) -> Bool {
        if isPHP {
            let (before, after) = (PHPFile(old).found, PHPFile(new).found)
            return before.count == after.count
                && zip(before, after)
                    .allSatisfy { old, new in
                        old.path == new.path && old.place.line == new.place.line
                            && (old.path == ["const", "DB_HOST"]
                                ? new.place.value == .text(whole(door)) : old.place.value == new.place.value)
                    }
        }
        func entries(_ bytes: [UInt8]) -> [String: String] {
            var file = EnvFile()
            file.read(bytes, path: edit.path)
            return file.entries.mapValues(\.value)
        }
        var (before, after) = (entries(old), entries(new))
        for name in [Setting.url.name, SettingsLayer.frameworkURL] {
            guard let text = before.removeValue(forKey: name), let changed = after.removeValue(forKey: name),
                text != changed
            else { continue }
            guard let was = try? DatabaseURL(text, origin: ""), let now = try? DatabaseURL(changed, origin: ""),
                ["DB_USERNAME", "DB_PASSWORD", "DB_DATABASE"].allSatisfy({ was.values[$0] == now.values[$0] })
            else { return false }
            switch door {
            case .socket(let path): return now.values["DB_SOCKET"] == path && before == after
            case .tcp(let host, let port):
                return now.values["DB_HOST"] == host && now.values["DB_PORT"] == "\(port)" && before == after
            }
        }
        // Of one kind of application it is the host that names it all.
        if after[Setting.host.name] == whole(door) { before[Setting.host.name] = whole(door) }
        if before == after { return true }
        switch door {
        case .socket(let path): before[Setting.socket.name] = path
        case .tcp(_, let port): before[Setting.port.name] = "\(port)"
        }
        return before == after
    }
}
