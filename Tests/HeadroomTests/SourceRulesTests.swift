import TestSupport
import Testing

/// Rules that the sources keep, for who changes them.
@Suite struct SourceRulesTests {
    private func sources() throws -> [(path: String, text: String)] {
        let root = "\(SourceFiles.root)/Sources"
        return try SourceFiles.below(root, ending: ".swift")
            .map { (String($0.dropFirst(root.count + 1)), try SourceFiles.text($0)) }
    }

    /// Where a statement is made of text, and why no value from outside can be in it.
    private let raw: [String: String] = [
        "Headroom/Hosts/ShareExchange.swift": "an own table, and a session's id, a number",
        "Headroom/SQL/SQL.swift": "the type itself",
        "Headroom/Session/SessionKiller.swift": "a session's id, a number",
        "Headroom/Session/Sessions.swift": "a session's id, a number",
        "HeadroomJobs/Queue/Claim.swift": "an own expression over columns",
        "HeadroomJobs/Queue/JobQueue+Care.swift": "names of own tables",
        "HeadroomJobs/Schema/Migration.swift": "own table definitions",
        "HeadroomWatch/Drills/PressureDrill.swift": "a time, a number",
        "HeadroomWatch/Kill/IdleKill.swift": "names of the server's tables, and numbers",
        "HeadroomWatch/Look/Connection+Look.swift": "own statements",
        "MeterImport/Storing/DailyStore.swift": "parsed numbers and dates (RowText)",
        "MeterImport/Storing/ReadingStore.swift": "parsed numbers and dates (RowText)",
        "MeterImport/Storing/RejectStore.swift": "a comma between rows",
        "MeterImport/Storing/StoredRows.swift": "parsed numbers and dates (RowText)",
    ]

    @Test func `statements are made of text only where this list says why`() throws {
        var seen: Set<String> = []
        for (path, text) in try sources() {
            let code = text.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("//") }
            if code.contains(where: { $0.contains("SQL(raw:") || $0.contains("\\(raw:") || $0.contains("init(raw: ") })
            {
                seen.insert(path)
            }
        }
        #expect(seen == Set(raw.keys))
    }

    @Test func `no argument of a command is a password`() throws {
        var options = 0
        for (path, text) in try sources() {
            for match in text.matches(of: /@Option[\s\S]{0,400}?\bvar (\w+)/) {
                options += 1
                #expect(!match.output.1.lowercased().contains("password"), "\(match.output.1) in \(path)")
            }
        }
        #expect(options > 30)
    }

    @Test func `the programs print through Console, which keeps control characters from the terminal`() throws {
        for (path, text) in try sources() where path.hasPrefix("headroom") {
            #expect(text.firstMatch(of: /(?m)^\s*(Swift\.)?print\(/) == nil, "\(path)")
        }
    }

    @Test func `a look at an account takes nothing of Foundation`() throws {
        for (path, text) in try sources() where path.hasPrefix("Headroom/") || path.hasPrefix("HeadroomWatch/") {
            #expect(text.firstMatch(of: /(?m)^(public |package )?import Foundation/) == nil, "\(path)")
        }
    }

    @Test
    func
        `what one system alone has stands in the folder System, and all else of the libraries takes the C library of any`()
        throws
    {
        let ownNames =
            /import (Glibc|Darwin|CKernel)\b|\b(epoll_|eventfd|timerfd|inotify_|pthread_self|kqueue|kevent)|"\/proc\//
        for (path, text) in try sources() {
            let library = path.split(separator: "/")[0]
            guard ["Headroom", "HeadroomJobs", "MeterImport"].contains(library), !path.hasPrefix("Headroom/System/")
            else { continue }
            #expect(text.firstMatch(of: ownNames) == nil, "\(path)")
        }
    }
}
