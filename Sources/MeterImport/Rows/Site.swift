/// A site of a file, ready to be stored; what the file does not say is `nil`.
struct Site: Hashable, Sendable {
    /// The name, at most 255 characters.
    var name: String
    /// The id of the company; the writer's default when `nil`.
    var companyID: Int?
    /// The id of the region.
    var regionID: Int?
    /// The address, at most 10,000 characters.
    var address: String?
    /// The postcode, at most 10 characters.
    var postcode: String?
    /// What kind of site it is.
    var type: Kind?
    /// The floor area, in hundredths.
    var floorArea: FixedPoint?
    /// The latitude, in 10^-8 of a degree, from -90 to 90.
    var latitude: FixedPoint?
    /// The longitude, in 10^-8 of a degree, from -180 to 180.
    var longitude: FixedPoint?
    /// Whether it is in use.
    var isActive: Bool?

    /// What kind of site it is; the raw values are the database's.
    enum Kind: String, Sendable, CaseIterable {
        case office, warehouse, retail, industrial, residential, other
    }
}

/// A decimal number with a fixed count of decimals, exactly as the database stores it.
struct FixedPoint: Hashable, Sendable {
    /// The number times ten to the power of the decimals.
    var units: Int64
    /// The count of decimals.
    var decimals: Int

    /// The number as SQL reads it, such as `-0.12775800`.
    var text: String {
        let digits = String(units.magnitude)
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        return "\(units < 0 ? "-" : "")\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
    }
}
