/// What a column holds, found by its name.
///
/// Names are compared in lower case with everything but letters and digits removed. When several columns could play a
/// role, the name that stands earlier in the list wins.
enum ColumnRole: CaseIterable {
    case meter
    case datetime
    case date
    case time
    case value
    case unit
    case type

    /// The names that the role goes by, the first the best.
    var names: [String] {
        switch self {
        case .meter:
            [
                "mpan", "mpancore", "mprn", "supplynumber", "metercode", "meterid", "meterreference", "meterref",
                "meter",
                "meterserialnumber", "meterserial", "serialnumber", "serial",
            ]
        case .datetime: ["datetime", "timestamp", "readdatetime", "readingdatetime", "start"]
        case .date: ["date", "readdate", "readingdate", "perioddate", "billdate", "insertdate"]
        case .time: ["time", "readtime", "readingtime", "periodtime"]
        case .value: ["value", "readvalue", "reading", "consumption", "usage", "kwh", "wh", "mwh", "gwh"]
        case .unit: ["unit", "units", "uom"]
        case .type: ["readingtype", "type", "status", "ae", "actualestimated", "estimate"]
        }
    }

    /// The names to show a user who lacks such a column.
    var examples: String { names.prefix(3).joined(separator: ", ") }
}
