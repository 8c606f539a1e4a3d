public import Headroom

/// A table with the column `n` for a statement's `FROM`: the numbers from 1 to ten to the power of `digits`, in no order.
///
/// MySQL and MariaDB both make the rows as they send them, also a hundred million. (Only MariaDB has `seq_1_to_N`, and a
/// recursive query is made whole before its first row. The hint keeps MySQL from a hash join, which is made first as well.)
public func numbers(digits: Int) -> SQL {
    let ten = (["SELECT 0 AS d"] + (1...9).map { "SELECT \($0)" }).joined(separator: " UNION ALL ")
    let tables = (0..<digits).map { "ten AS ten\($0)" }.joined(separator: " CROSS JOIN ")
    let sum = (0..<digits).map { "ten\($0).d * 1\(String(repeating: "0", count: $0))" }.joined(separator: " + ")
    return SQL(raw: "(WITH ten AS (\(ten)) SELECT /*+ NO_BNL() */ 1 + \(sum) AS n FROM \(tables)) AS numbers")
}
