import Headroom
import HeadroomJobs

// The time zone, and the hour that comes twice.
extension FileUnderstanding {
    mutating func decideZone(_ evidence: Evidence, _ options: ImportOptions) throws {
        // What the times around a change of the clocks say: that the file follows it, and how, or that it does not.
        var (follows, ignores, nominal, actual) = (Evidence.Mark(), Evidence.Mark(), 0, 0)
        var (single, line) = (0, 0)
        for change in evidence.changes {
            let special = change.special.filter { $0 % minutes == 0 }
            guard let first = special.first, let last = special.last else { continue }
            func count(_ minute: Int) -> Int { change.labels.count { $0 == minute } }
            let shifted = special.map { $0 + minutes }
            if change.isShort {
                if labels == .start {
                    if special.allSatisfy({ count($0) > 0 }) {
                        ignores.note(change.line)
                    } else if special.allSatisfy({ count($0) == 0 }),
                        count(first - minutes) > 0 || count(last + minutes) > 0
                    {
                        follows.note(change.line)
                    }
                } else if (special + shifted).allSatisfy({ count($0) > 0 }) {
                    ignores.note(change.line)
                } else if shifted.allSatisfy({ count($0) == 0 }), count(first) > 0 {
                    follows.note(change.line)
                    nominal += 1
                } else if special.allSatisfy({ count($0) == 0 }), count(last + minutes) > 0 {
                    follows.note(change.line)
                    actual += 1
                }
                continue
            }
            if labels == .start {
                if special.allSatisfy({ count($0) == 2 }) { follows.note(change.line) }
            } else if special.allSatisfy({ count($0) >= 2 }) {
                follows.note(change.line)
                actual += 1
            } else if shifted.allSatisfy({ count($0) >= 2 }) {
                follows.note(change.line)
                nominal += 1
            }
            if special.allSatisfy({ count($0) == 1 }), shifted.allSatisfy({ count($0) == 1 }),
                count(first - minutes) == 1
            {
                single += 1
                line = change.line
            }
        }
        for day in evidence.numberedChanges.values {
            let (length, perDay) = (day.halfHours * 30 / minutes, 1440 / minutes)
            let (count, last) = (day.count, day.last - firstPeriod + 1)
            if length < perDay {
                if last > length {
                    ignores.note(day.line)
                } else if count >= length - 1, last == length {
                    follows.note(day.line)
                }
            } else if last > perDay {
                follows.note(day.line)
            } else if last == perDay, count >= perDay - 1 {
                single += 1
                line = day.line
            }
        }
        if try takeNamedZone(options, follows: follows.count, follows.line) { return }
        if ignores.count > 0, follows.count > 0, !evidence.numberedChanges.isEmpty {
            throw Self.contradiction(
                "The day when the clocks change has as many half-hours as others on line \(ignores.line), and not on line \(follows.line).",
                "Import them from files of their own."
            )
        }
        if options.timezone == nil, ignores.count > 0, follows.count == 0 {
            throw Self.contradiction(
                "The times are not those of \(source): line \(ignores.line) is on a day when the clocks are put forward, and has times that they leave out.",
                "If they are UTC, say --timezone UTC."
            )
        }
        if options.timezone == nil, single > 0, follows.count == 0 {
            throw Self.doubt(
                "Are the times UTC, or those of \(source)?",
                "On the day when the clocks go back (line \(line)) the hour that comes twice is there once.",
                "--timezone UTC or --timezone \(source)"
            )
        }
        if nominal > 0, actual > 0 {
            throw Self.doubt(
                "How are the half-hours named when the clocks change?",
                "\(nominal) of the days name their end as half an hour after their start, \(actual) by the clock.",
                "--timezone UTC, or export the times with their offset from UTC"
            )
        }
        endsOnClock = actual > 0
        try findLoneHours(evidence)
        if options.timezone != nil {
            say("zone", source, .stated)
        } else if follows.count > 0 {
            say(
                "zone",
                "\(source) (\(counted(follows.count, "day")) on which the clocks change prove\(follows.count == 1 ? "s" : "") it)",
                .proved
            )
        } else {
            say("zone", source, .assumed)
        }
    }

    /// Finds out to which run an hour belongs that comes twice on the clock and once in the file, by its neighbours.
    mutating func findLoneHours(_ evidence: Evidence) throws {
        for change in evidence.changes where !change.isShort {
            let special = change.special.filter { $0 % minutes == 0 }
                .map { labels == .end && !endsOnClock ? $0 + minutes : $0 }
            guard let first = special.first, let last = special.last else { continue }
            let times = isNewestFirst ? change.labels.reversed() : change.labels
            let counts = special.map { minute in times.count { $0 == minute } }
            if counts.allSatisfy({ $0 == 0 || $0 == 2 }), !isUnordered { continue }
            guard counts.contains(where: { $0 > 0 }) else { continue }
            var isSecond: Bool?
            if counts.allSatisfy({ $0 <= 1 }), !isUnordered {
                let begin = times.firstIndex { special.contains($0) } ?? 0
                let end = times.lastIndex { special.contains($0) } ?? 0
                let follows = begin > 0 && times[begin] == first && times[begin - 1] == first - minutes
                let goesOn = end + 1 < times.count && times[end] == last && times[end + 1] == last + minutes
                if follows != goesOn { isSecond = goesOn }
            }
            loneHours.append(LoneHour(meter: String(change.meter, radix: 16), day: change.day, isSecond: isSecond))
        }
        guard loneHours.count <= Self.mostLoneHours else {
            throw Self.doubt(
                "Which run do the times of the repeated hour belong to?",
                "\(loneHours.count) days of meters have only one of the two, or are in no order.",
                "--timezone UTC, or export the times with their offset from UTC"
            )
        }
        if loneHours.contains(where: { $0.isSecond == nil }) {
            warnings.append(
                "Some rows of the hour that comes twice are rejected: the file does not say which of the two they are."
            )
        }
    }

    static let mostLoneHours = 2_000
}
