import Headroom
import HeadroomJobs

/// What a job says about its file, beside the file.
public struct ImportOptions: Sendable, Hashable {
    /// The meter of a file without a column for it.
    public var mpan: String?

    /// The zone in which the file's times are given; `nil`, the default, means the job's own zone.
    ///
    /// Times that carry their own offset from UTC are taken at their word.
    public var timezone: String?

    /// The zone in whose days the readings are stored; `Europe/London` by default.
    public var zone: String?

    /// Which number comes first in dates such as `05/11/2025`; the day by default.
    public var dateOrder: DateOrder?

    /// The site to which unknown meters are added; by default one called "Auto-imported meters".
    public var defaultSite: Int?

    /// Which end of its half-hour a time names; `nil`, the default, lets the file tell.
    public var times: TimeLabels?

    /// What is imported: `import`, the default, `export`, or `COLUMN=WORD`, the rows with that word in that column.
    public var quantity: String?

    /// The column with the value; for parts of a day in columns one of these.
    public var valueColumn: String?

    /// The column with the meter.
    public var meterColumn: String?

    /// Columns that are left alone.
    public var ignoredColumns: [String] = []

    /// The unit of values without one: Wh, kWh, MWh, GWh, m3, ft3 or hcf.
    public var unit: String?

    /// The energy of a cubic metre of gas in MJ, from 30 to 50; volumes are converted with it.
    public var calorificValue: Double?

    /// The lines above the header; `nil`, the default, looks for it.
    public var skippedLines: Int?

    /// How long a reading's time is, in minutes: 15, 30 or 60; `nil`, the default, lets the file tell.
    public var period: Int?

    /// Whether the reading of an hour becomes two of half an hour, each half of it and an estimate.
    public var splitsHours = false

    /// The words of flags that mean estimates: `WORD,WORD`, or `COLUMN=WORD,WORD`; all others that are not known mean actual readings.
    public var estimates: String?

    /// Whether the last of several readings of one half-hour counts, however many there are.
    public var lastCounts = false

    /// Creates options.
    public init(
        mpan: String? = nil,
        timezone: String? = nil,
        zone: String? = nil,
        dateOrder: DateOrder? = nil,
        defaultSite: Int? = nil
    ) {
        self.mpan = mpan
        self.timezone = timezone
        self.zone = zone
        self.dateOrder = dateOrder
        self.defaultSite = defaultSite
    }

    /// The column and the word of a quantity such as `Channel=1`.
    var chosenWord: (column: String, word: String)? {
        guard let quantity, let place = quantity.utf8.firstIndex(of: UInt8(ascii: "=")) else { return nil }
        return (String(quantity[..<place]).trimmed, String(quantity[quantity.utf8.index(after: place)...]).trimmed)
    }

    /// The column and the words, in lower case, of ``estimates``.
    var estimateWords: (column: String?, words: [String])? {
        guard let estimates else { return nil }
        let place = estimates.utf8.firstIndex(of: UInt8(ascii: "="))
        let list = place.map { String(estimates[estimates.utf8.index(after: $0)...]) } ?? estimates
        return (
            place.map { String(estimates[..<$0]).trimmed },
            list.pieces { $0 == "," }.map { String($0).trimmed.lowercased() }
        )
    }

    /// The zone in whose days readings are stored when a job names none.
    public static let defaultZone = "Europe/London"

    /// Reads the options from a job's metadata; what else stands there is left alone.
    ///
    /// - Parameter metadata: A JSON object with any of `mpan`, `timezone`, `zone`, `date_order`, `default_site_id`, `times`,
    ///   `quantity`, `value_column`, `meter_column`, `ignore_columns`, `unit`, `calorific_value`, `skip_lines`, `period`,
    ///   `hourly`, `repeats`, `estimates`: the options of the command, with `_` for `-`.
    /// - Throws: ``ImportError`` with `badOptions` when a value cannot be used.
    public init(metadata: String?) throws {
        self.init()
        guard let metadata, !metadata.isEmpty, metadata != "null" else { return }
        guard metadata.utf8.count <= Self.longestMetadata else {
            throw ImportError(
                .badOptions,
                "The job's metadata is longer than 64 KiB. Leave out what is not about its file."
            )
        }
        let json: Metadata
        do {
            json = try JSONText.decode(Metadata.self, metadata, isOurs: false)
        } catch {
            throw ImportError(.badOptions, "The job's metadata cannot be read as JSON: \(shown(metadata, most: 100))")
        }
        mpan = json.mpan?.text
        timezone = json.timezone
        zone = json.zone
        defaultSite = json.default_site_id
        dateOrder = try Self.choice(json.date_order, "date_order")
        times = try Self.choice(json.times, "times")
        quantity = json.quantity
        valueColumn = json.value_column
        meterColumn = json.meter_column
        ignoredColumns = json.ignore_columns ?? []
        unit = json.unit
        calorificValue = json.calorific_value
        skippedLines = json.skip_lines
        period = json.period
        splitsHours = json.hourly == "split"
        lastCounts = json.repeats == "last"
        estimates = json.estimates
        try validateNumbers()
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(_ word: String?, _ name: String) throws
        -> Choice?
    {
        guard let word else { return nil }
        guard let choice = Choice(rawValue: word) else {
            let choices = Choice.allCases.map(\.rawValue).joined(separator: " or ")
            throw ImportError(.badOptions, "The job's \(name) is '\(shown(word, most: 60))'. It must be \(choices).")
        }
        return choice
    }

    private func validateNumbers() throws {
        if let period, ![15, 30, 60].contains(period) {
            throw ImportError(.badOptions, "The period is \(period) minutes. It must be 15, 30 or 60.")
        }
        if let skippedLines, !(0...10_000).contains(skippedLines) {
            throw ImportError(.badOptions, "\(skippedLines) lines cannot be skipped. It must be 0 to 10,000.")
        }
        if let calorificValue, !(30...50).contains(calorificValue) {
            throw ImportError(
                .badOptions,
                "A calorific value of \(calorificValue) is none of gas. It is 30 to 50 MJ a cubic metre."
            )
        }
        if let unit {
            switch Measure(word: unit) {
            case .energy, .volume: break
            default:
                throw ImportError(
                    .badOptions,
                    "The unit '\(shown(unit, most: 40))' cannot be imported. It must be Wh, kWh, MWh, GWh, m3, ft3 or hcf."
                )
            }
        }
        if let quantity, chosenWord == nil, quantity != "import", quantity != "export" {
            throw ImportError(
                .badOptions,
                "The quantity '\(shown(quantity, most: 60))' is not known. It must be import, export or COLUMN=WORD."
            )
        }
    }

    private static let longestMetadata = 65_536

    /// The options as a job's metadata.
    public var metadata: String {
        JSONText.encode(
            Metadata(
                mpan: mpan.map(TextOrNumber.init),
                timezone: timezone,
                zone: zone,
                date_order: dateOrder?.rawValue,
                default_site_id: defaultSite,
                times: times?.rawValue,
                quantity: quantity,
                value_column: valueColumn,
                meter_column: meterColumn,
                ignore_columns: ignoredColumns.isEmpty ? nil : ignoredColumns,
                unit: unit,
                calorific_value: calorificValue,
                skip_lines: skippedLines,
                period: period,
                hourly: splitsHours ? "split" : nil,
                repeats: lastCounts ? "last" : nil,
                estimates: estimates
            )
        )
    }

    /// Finds out now whether the options can be used, rather than when the job is worked on.
    ///
    /// - Throws: ``ImportError`` with `badOptions` when one cannot.
    public func validate() throws {
        for zone in [timezone, zone].compactMap(\.self) { _ = try TimeZoneRules.named(zone) }
        try validateNumbers()
    }

    // The names are those of the JSON that the host's pages write.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Metadata: Codable {
        var mpan: TextOrNumber?
        var timezone: String?
        var zone: String?
        var date_order: String?
        var default_site_id: Int?
        var times: String?
        var quantity: String?
        var value_column: String?
        var meter_column: String?
        var ignore_columns: [String]?
        var unit: String?
        var calorific_value: Double?
        var skip_lines: Int?
        var period: Int?
        var hourly: String?
        var repeats: String?
        var estimates: String?
    }

    /// A meter's number, which some write as a JSON number.
    private struct TextOrNumber: Codable {
        var text: String

        init(_ text: String) {
            self.text = text
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            text = try (try? container.decode(String.self)) ?? String(container.decode(Int.self))
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(text)
        }
    }
}
