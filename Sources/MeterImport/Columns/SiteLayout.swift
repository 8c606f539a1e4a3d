/// Which column of a file of sites holds what.
struct SiteLayout {
    /// What a column of a site holds, found by its name; an earlier name outranks a later one.
    private enum Role: CaseIterable {
        case name, company, region, address, postcode, type, floorArea, latitude, longitude, active, created

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
            case .created: ["createdat", "created"]
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
    let created: Int?

    /// Finds out the layout from the header.
    ///
    /// - Throws: ``ImportError`` with `wrongColumns` when there is no name.
    init(header: FileHeader) throws {
        func column(_ role: Role) -> Int? { header.column { $0.rank(among: role.names) } }
        guard let name = column(.name) else {
            throw header.missing("A file of sites needs a column for the name (name, site_name).")
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
        created = column(.created)
    }
}
