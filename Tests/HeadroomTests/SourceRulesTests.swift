import Headroom
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
        "Headroom/Admission/Shares/ShareExchange.swift": "an own table, and a session's id, a number",
        "Headroom/Admission/SlotReport.swift": "a session's id, a number",
        "Headroom/Session/SessionEnd.swift": "a session's id, a number",
        "Headroom/Session/Sessions.swift": "a session's id, a number",
        "Headroom/Statement/SQL.swift": "the type itself",
        "HeadroomJobs/Lease/Lease.swift": "own columns",
        "HeadroomJobs/Queue/Claim.swift": "an own expression over columns",
        "HeadroomJobs/Queue/JobQueue+Maintenance.swift": "names of own tables",
        "HeadroomJobs/Schema/Migration.swift": "own table definitions",
        "HeadroomWatch/Verify/PressureDrill.swift": "a time, a number",
        "HeadroomWatch/Kill/IdleKill.swift": "names of the server's tables, and numbers",
        "HeadroomWatch/Account/Connection+AccountReport.swift": "own statements",
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

    /// Where an error's number is looked at outside the table of errors, and why the table cannot say it.
    private let numbers: [String: String] = [
        "Headroom/Statement/PreparedReader.swift": "one prepared statement less is its own cure",
        "Headroom/Statement/Connection+Transaction.swift": "a savepoint that is gone says that the transaction is",
        "Headroom/Errors/DatabaseError.swift": "a deadlock undoes the transaction and not the statement alone",
        "Headroom/Errors/RetryPolicy.swift": "the numbers that a caller adds, with its reason",
        "Headroom/Admission/Shares/HostsReport.swift": "no table means that no hosts share",
        "Headroom/Admission/Shares/ShareExchange.swift":
            "it makes the table that is missing; a killed session has gone",
        "Headroom/Session/SessionEnd.swift": "the proof that a session is gone",
        "Headroom/Session/Sessions.swift": "a killed session has gone, or was another account's",
        "HeadroomJobs/Queue/Claim.swift": "what an older server does not know",
        "HeadroomWatch/Kill/GuardedKill.swift": "what became of a KILL",
        "HeadroomWatch/Account/AccountQuery.swift": "what a look may not see",
        "HeadroomWatch/Kill/IdleKill.swift": "what became of a managed server's KILL",
        "MeterImport/Storing/ReadingStore.swift": "what this server does not know",
    ]

    @Test
    func
        `whether to try again is asked of the table of errors, and numbers are compared only where this list says why`()
        throws
    {
        var seen: Set<String> = []
        for (path, text) in try sources() {
            let code = text.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("//") }
            let looks = code.contains { line in
                line.contains(/serverCode\)? *[!=]= *[0-9A-Z]/) || line.contains(/contains\((error\.)?serverCode/)
                    || line.contains(/switch .*serverCode/)
            }
            if looks { seen.insert(path) }
            for hit in text.matches(of: /serverCode [!=]= (\d+)/) {
                let number = Int(hit.output.1)
                #expect(ErrorTable.numbers.contains { $0.number == number }, "\(path): \(hit.output.0)")
            }
        }
        #expect(seen == Set(numbers.keys))
    }

    /// Where files are opened by other means than `RegularFile`, and why nobody can put another file in their place, or why
    /// that does no harm.
    private let openers: [String: String] = [
        "CommandSupport/HostLimits+Check.swift": "/dev/null",
        "CommandSupport/TypedPassword.swift": "/dev/tty",
        "Headroom/Session/Client.swift": "/dev/null",
        "Headroom/Settings/SettingsFile.swift": "settings, which people name",
        "Headroom/System/OpenFolder.swift": "the opener itself",
        "Headroom/System/RegularFile.swift": "the opener itself",
        "HeadroomJobs/Queue/ImportFolders.swift": "files that jobs name, each folder opened in the one before",
        "HeadroomHistory/HistoryFile.swift": "the opener for SQLite: two devices of the kernel, and folders",
        "HeadroomSandbox/Files.swift": "a sandbox's own folder, for its user alone; not through a link",
        "HeadroomWatch/Host/HostReader.swift":
            "/proc, and units and tables of cron, links among them; bounded, no waiting",
        "MeterImport/CSV/CSVFile.swift": "files that jobs name, with checks of its own",
        "MeterImport/CSV/UTF16File.swift": "a file without a name, in the folder for such",
        "headroom/Support/WorkMemory.swift": "/proc/self",
        "headroom/Up/Supervisor.swift": "/dev/null",
        "manual-pages/CommandHelp.swift": "files of the build",
        "manual-pages/ManualPages.swift": "files of the build",
    ]

    @Test func `files are opened by RegularFile, and otherwise only where this list says why`() throws {
        // (Of words by Unicode, "Glibc.open" is one.) A method of the name has a dot in front, and mostly a label behind; the C library's and swift-system's are meant.
        let opener =
            /(func )?(\w*\.)?\b(open|openat|fopen|freopen|creat)\((?!\w+:|\))|contentsOfFile|contents\(atPath|(Data|String)\(contentsOf:|FileHandle\(|(Input|Output)Stream\(/
            .wordBoundaryKind(.simple)
        for (path, text) in try sources() where openers[path] == nil {
            for line in text.split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                for match in line.matches(of: opener) {
                    let receiver = match.output.2 ?? ""
                    let isCLibrary = ["", "Glibc.", "CLibrary.", "Darwin.", "FileDescriptor."].contains(receiver)
                    #expect(match.output.1 != nil || !isCLibrary, "\(path): \(line)")
                }
            }
        }
    }

    @Test
    func
        `nothing is changed by its path, which others may have led elsewhere, but in a sandbox's own folder, and a door's socket`()
        throws
    {
        let changer =
            /(func )?(\w*\.)?\b(chmod|l?chown|rename|unlink|rmdir|mkdir|mkfifo|truncate|link|symlink|remove)\((?!\w+:|\))/
            .wordBoundaryKind(.simple)
        for (path, text) in try sources() where !path.hasPrefix("HeadroomSandbox/") {
            // A socket has its path from bind(2), and a name of its own until it listens.
            if path.hasPrefix("HeadroomDoor/Door") { continue }
            for line in text.split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                for match in line.matches(of: changer) {
                    let receiver = match.output.2 ?? ""
                    // Functions of Headroom's that are called by these names are methods, or read a link.
                    let isCLibrary = ["", "Glibc.", "CLibrary.", "Darwin."].contains(receiver)
                    let isOwn = match.output.3 == "link" && path.hasPrefix("HeadroomWatch/")
                    #expect(match.output.1 != nil || !isCLibrary || isOwn, "\(path): \(line)")
                }
            }
        }
    }

    @Test func `nothing that the package starts by itself runs as root`() throws {
        let deploy = "\(SourceFiles.root)/deploy"
        func lines(_ name: String) throws -> [Substring] {
            try SourceFiles.text("\(deploy)/\(name)").split(separator: "\n").map { $0.drop { $0 == " " } }
        }
        let logrotate = try lines("headroom.logrotate")
        #expect(logrotate.contains("su headroom headroom"))
        #expect(!logrotate.contains { $0.hasPrefix("create") || $0.contains("script") })
        #expect(try lines("systemd/hardening.conf").contains("User=headroom"))
        for unit in try SourceFiles.below("\(deploy)/systemd", ending: ".service") {
            // The line in the file for all holds by the unit's name.
            #expect(unit.contains("/headroom-"))
            #expect(try !SourceFiles.text(unit).contains("User="))
        }
        #expect(try lines("headroom.tmpfiles").contains("d /run/headroom 2770 headroom headroom -"))
        #expect(
            try lines("debian/headroom.postinst").contains("install -d -m 2770 -o headroom -g headroom \"$folder\"")
        )
    }

    /// Where text is looked at by `Character`, or words are compared as wholes, and why nobody outside can gain by it.
    private let characterwise: [String: String] = [
        "Headroom/Settings/": "to be gone through with its own files",
        "HeadroomJobs/Schema/Misfit.swift": "own table definitions",
        "HeadroomSandbox/": "what servers and tools that it has started itself print",
        "HeadroomWatch/Deployment/DeploymentPlan.swift": "names of units as wholes",
        "HeadroomWatch/Deployment/DeploymentReader.swift": "a word as a whole",
        "HeadroomWatch/FrontDoor/FrontDoorReport.swift": "a column's name as a whole",
        "HeadroomWatch/Host/HostReader.swift": "the server's name as a whole",
        "HeadroomWatch/Verify/VerifyChecks.swift": "a privilege as a whole",
        "MeterImport/Columns/ColumnName.swift": "letters among bytes",
        "MeterImport/Rows/ImportLayouts.swift": "letters among bytes",
        "MeterImport/Rows/ReadingParser.swift": "letters among bytes",
        "MeterImport/Storing/RepeatedTime.swift": "names of an own table's columns",
        "MeterImport/Values/MeterCode.swift": "letters among bytes",
        "MeterImport/Values/Timestamp.swift": "letters among bytes",
        "headroom/Guard/PastChart.swift": "the bars of a chart",
        "headroom/HeadroomCommand.swift": "an argument as a whole",
        "headroom/Support/WorkMemory.swift": "words of the process's own map",
        "manual-pages/": "the program's own help",
    ]

    @Test
    func `text from outside is taken apart by scalars and bytes, and by Characters only where this list says why`()
        throws
    {
        // "\r\n" is one Character, and a mark beside a quote makes another one of it: see ScalarText.
        let byCharacter =
            /\.split\(separator: "|\.split ?(\(whereSeparator|\{)|\.has(Prefix|Suffix)\(|\.contains\("|\.replacing\(|\.trimming|\.(first|last)Index\(of: "|\.isNewline|\.isWhitespace|\.isLetter|\.isNumber|\.isHexDigit|\.(first|last) [!=]= "|popFirst\(\) [!=]= "|\bCharacter\b|\.firstRange\(|\.ranges\(of|\.(filter|prefix|drop|allSatisfy) ?[({]+ ?\$0 [!=]= "/
        var seen: Set<String> = []
        for (path, text) in try sources() {
            let lines = text.split(separator: "\n").filter { !$0.drop { $0 == " " }.hasPrefix("//") }
            for line in lines {
                // What is asked of scalars is right.
                let rest = line.replacing("properties.isWhitespace", with: "")
                    .replacing(/unicodeScalars\.\w+/, with: "")
                guard rest.firstMatch(of: byCharacter) != nil else { continue }
                let place = characterwise.keys.first { path.hasPrefix($0) }
                #expect(place != nil, "\(path): \(line)")
                if let place { seen.insert(place) }
            }
        }
        #expect(seen == Set(characterwise.keys))
    }

    @Test func `an HTML page takes nothing unescaped but what was made of a template`() throws {
        let folder = "\(SourceFiles.root)/Sources/HeadroomWeb/Assets"
        for path in try SourceFiles.below(folder, ending: ".mustache") {
            let raw = try SourceFiles.text(path).matches(of: /\{\{(\{|&)\s*(\w+)/).map { $0.output.2 }
            #expect(raw == (path.hasSuffix("/page.mustache") ? ["content"] : []), "\(path)")
        }
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
