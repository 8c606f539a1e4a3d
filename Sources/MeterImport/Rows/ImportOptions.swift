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

    /// The zone in whose days readings are stored when a job names none.
    public static let defaultZone = "Europe/London"

    /// Reads the options from a job's metadata; what else stands there is left alone.
    ///
    /// - Parameter metadata: A JSON object with any of `mpan`, `timezone`, `zone`, `date_order`, `default_site_id`.
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
        do {
            let json = try JSONText.decode(Metadata.self, metadata, isOurs: false)
            mpan = json.mpan?.text
            timezone = json.timezone
            zone = json.zone
            defaultSite = json.default_site_id
            if let word = json.date_order {
                guard let order = DateOrder(rawValue: word) else {
                    throw ImportError(
                        .badOptions,
                        "The job's date_order is '\(shown(word, most: 60))'. It must be dmy or mdy."
                    )
                }
                dateOrder = order
            }
        } catch let error as ImportError {
            throw error
        } catch {
            throw ImportError(.badOptions, "The job's metadata cannot be read as JSON: \(shown(metadata, most: 100))")
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
                default_site_id: defaultSite
            )
        )
    }

    /// Finds out now whether the zones exist, rather than when the job is worked on.
    ///
    /// - Throws: ``ImportError`` with `badOptions` when a zone is not known.
    public func validate() throws {
        for zone in [timezone, zone].compactMap(\.self) { _ = try TimeZoneRules.named(zone) }
    }

    // The names are those of the JSON that the host's pages write.
    // swift-format-ignore: AlwaysUseLowerCamelCase
    private struct Metadata: Codable {
        var mpan: TextOrNumber?
        var timezone: String?
        var zone: String?
        var date_order: String?
        var default_site_id: Int?
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
