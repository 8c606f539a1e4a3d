import TestSupport
import Testing

@testable import MeterImport

/// Options that describe a layout are kept under a name.
@Suite struct ImportLayoutsTests {
    private let folder = TemporaryFolder()

    @Test func `a layout is read as it was saved, without the meter`() throws {
        let layouts = ImportLayouts(stateFolder: folder.path)
        #expect(layouts.names == [])
        var options = ImportOptions(mpan: "M1", timezone: "UTC", dateOrder: .yearFirst, defaultSite: 7)
        options.estimates = "Quality=U,D"
        options.splitsHours = true
        try layouts.save(options, as: "acme-1")
        (options.mpan, options.defaultSite) = (nil, nil)
        #expect(try layouts.read("acme-1") == options)
        #expect(layouts.names == ["acme-1"])
        try layouts.save(ImportOptions(), as: "acme-1")
        #expect(try layouts.read("acme-1") == ImportOptions())
        #expect { try layouts.read("other") } throws: { "\($0)".contains("There are acme-1") }
    }

    @Test(arguments: ["", "../x", "a/b", "a b", "\u{E9}", String(repeating: "x", count: 61)])
    func `a name is no path`(name: String) {
        let layouts = ImportLayouts(stateFolder: folder.path)
        #expect(throws: ImportError.self) { try layouts.save(ImportOptions(), as: name) }
        #expect(throws: ImportError.self) { try layouts.read(name) }
    }
}
