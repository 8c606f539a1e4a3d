import Headroom

/// Writes a whole number with a comma between thousands.
package func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number.magnitude).reversed().enumerated() {
        if index > 0, index % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return (number < 0 ? "-" : "") + String(text.reversed())
}

/// Writes a number with a fixed count of decimals.
package func fixed(_ number: Double, _ decimals: Int) -> String {
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let units = Int(clamped: (number * Double(scale)).rounded())
    guard decimals > 0 else { return "\(units)" }
    let fraction = String(units.magnitude % UInt(scale))
    let padded = String(repeating: "0", count: decimals - fraction.count) + fraction
    return "\(units < 0 ? "-" : "")\(units.magnitude / UInt(scale)).\(padded)"
}

/// Writes "1 row", "2 rows".
package func counted(_ number: Int, _ noun: String) -> String {
    "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
}

/// Writes cells as columns, aligned; a cell is a part of its line whatever it holds.
package func table(_ rows: [[String]], indent: String = "  ") -> [String] {
    let rows = rows.map { $0.map { printable($0) } }
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
        let cells = row.enumerated()
            .map { column, cell in
                column == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[column] - cell.count)
            }
        return indent + cells.joined(separator: "  ")
    }
}

/// Breaks a text into lines at its spaces.
package func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    for word in text.pieces(separator: " ") {
        if let line = lines.last, line.count + 1 + word.count <= width {
            lines[lines.count - 1] = "\(line) \(word)"
        } else {
            lines.append(String(word))
        }
    }
    return lines
}

extension Duration {
    /// The duration in seconds.
    package var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}

/// Text that others have chosen, without what could steer a terminal or turn its lines round.
package func printable(_ text: String, keeping kept: String = "") -> String { Escaping.printable(text, keeping: kept) }
