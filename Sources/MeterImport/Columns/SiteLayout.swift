/// Which column of a file of sites holds what.
struct SiteLayout {
    /// What a column of a site holds, found by its name; an earlier name outranks a later one.
    private enum Role: CaseIterable {
        case name, company, region, address, postcode, type, floorArea, latitude, longitude, active

        var names: [String] {
            switch self {
            case .name: ["name", "sitename"]
            case .company: ["companyid"]
            case .region: ["regionid"]
            case .address: ["address"]
            case .postcode: ["postcode", "zip"]
            case .type: ["sitetype", "type"]
            case .floorArea: ["floorarea", "area"]
            case .latitude: ["latitude", "lat"]
            case .longitude: ["longitude", "lon", "long", "lng"]
            case .active: ["isactive", "active", "status"]
            }
        }
    }

    let name: Int
    let company: Int?
    let region: Int?
    let address: Int?
    let postcode: Int?
    let type: Int?
    let floorArea: Int?
    let latitude: Int?
    let longitude: Int?
    let active: Int?

    /// Finds out the layout from the header.
    ///
    /// - Throws: ``ImportError`` with `wrongColumns` when there is no name.
    init(_ columns: [ColumnName]) throws {
        func column(_ role: Role) -> Int? { role.names.lazy.compactMap { name in columns.firstIndex { $0.normalised == name } }.first }
        guard let name = column(.name) else {
            throw ColumnFinder(columns, sample: []).missing("A file of sites needs a column for the name (name, site_name).")
        }
        self.name = name
        company = column(.company)
        region = column(.region)
        address = column(.address)
        postcode = column(.postcode)
        type = column(.type)
        floorArea = column(.floorArea)
        latitude = column(.latitude)
        longitude = column(.longitude)
        active = column(.active)
    }
}
