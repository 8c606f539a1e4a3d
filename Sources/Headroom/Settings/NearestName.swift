/// Finds the name that somebody meant.
package enum NearestName {
    /// The name with the fewest letters changed, left out, added or swapped; `nil` when none is near.
    package static func to(_ text: String, in names: [String]) -> String? {
        guard text.utf8.count <= 100 else { return nil }
        let near = names.map { (name: $0, distance: distance(text, $0)) }.min { $0.distance < $1.distance }
        // Half of the letters that make the difference: HEADROOM_ is in all of them.
        let own = text.hasPrefix("HEADROOM_") ? text.count - 9 : text.count
        guard let near, near.distance <= max(2, own / 2) || near.name.hasPrefix(text) || text.hasPrefix(near.name)
        else {
            return nil
        }
        return near.name
    }

    /// The optimal string alignment distance.
    static func distance(_ a: String, _ b: String) -> Int {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        var rows = [Array(0...b.count)]
        for (i, x) in a.enumerated() {
            var row = [i + 1]
            for (j, y) in b.enumerated() {
                var least = min(rows[i][j] + (x == y ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, x == b[j - 1], a[i - 1] == y { least = min(least, rows[i - 1][j - 1] + 1) }
                row.append(least)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
