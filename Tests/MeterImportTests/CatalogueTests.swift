import TestSupport
import Testing

@testable import MeterImport

/// Names as suppliers and data collectors give them, each with what it must be taken for.
@Suite struct CatalogueTests {
    /// Columns of a day: `{1-48}` numbers, `{00:30}` times from the first to the end of the day, `#` the name around them.
    private static func expand(_ header: String) -> [String] {
        header.split(separator: ",", omittingEmptySubsequences: false).map(String.init).flatMap { name -> [String] in
            guard let open = name.firstIndex(of: "{"), let close = name.firstIndex(of: "}") else { return [name] }
            let range = name[name.index(after: open)..<close]
            let (before, after) = (name[..<open], name[name.index(after: close)...])
            func clock(_ minute: Int) -> String { "\(minute / 60 < 10 ? "0" : "")\(minute / 60):\(minute % 60 == 0 ? "00" : "30")" }
            let parts: [String]
            if range.contains(":") {
                let first = range == "00:00" ? 0 : 30
                parts = (0..<48).map { clock((first + $0 * 30) % 1440) }
            } else if range.hasPrefix("hhmm") {
                let first = range == "hhmm0" ? 0 : 30
                parts = (0..<48).map { clock(first + $0 * 30).replacing(":", with: "") }
            } else {
                let numbers = range.split(separator: "-").compactMap { Int($0) }
                parts = (numbers[0]...numbers[1]).map { "\($0)" }
            }
            // `A{..}B|C` is a column and another beside it.
            return parts.flatMap { part in
                "\(before)\(part)\(after)".split(separator: "|").map { String($0).replacing("#", with: part) }
            }
        }
    }

    private func layout(_ header: String, _ options: ImportOptions = ImportOptions(), isDaily: Bool = false) throws -> FileLayout {
        try FileLayout(Self.expand(header).map { ColumnName($0) }, sample: [], isDaily: isDaily, options: options)
    }

    @Test(
        arguments: [
            ("mpxn,msn,reading_date,interval_{1-48},run_dt", "mpxn", "reading_date", 48, nil, nil),
            ("MPAN,DATE,{hhmm}", "MPAN", "DATE", 48, .end, nil),
            ("siteRef,MPAN,ConsumptionDate,kWh_{1-48}|Data Marker", "MPAN", "ConsumptionDate", 48, nil, "Data Marker"),
            ("CustomerNumber,Account,MeterPoint,Unit,ReadDateUK,ReadTypeHH{1-50}|HH#", "MeterPoint", "ReadDateUK", 50, nil, "ReadTypeHH1"),
            ("mpxn,msn,meter_read_type,reading_date,interval_{1-48}_indicator|interval_#,run_dt", "mpxn", "reading_date", 48, nil, "interval_1_indicator"),
            ("MPAN Core,Serial Num,Site Ref,Read Date, Consumption {00:00} AM| Estimated / Actual # AM,Total kWh", "MPAN Core", "Read Date", 48, .start, "Estimated / Actual 00:00 AM"),
            ("Customer,URN,Address Line 1,MPAN/MPRN/SPID,Reading Date,Data Quality(% Complete),Consumption (kWh),{00:00}", "MPAN/MPRN/SPID", "Reading Date", 48, .start, nil),
            ("Site ID,Meter Name,Meter Reference,Reading Date,{00:30}|Data Marker,DST +0:30,Data Marker,DST +1:00,Data Marker", "Meter Reference", "Reading Date", 48, .end, "Data Marker"),
            ("Meter Type,Generation MSN,Latest Generation Meter Reading (kWh),Date/Time Stamp,{00:00}", "Generation MSN", "Date/Time Stamp", 48, .start, nil),
            ("Meter Name,MPAN,Serial,Date,{00:30},Total", "MPAN", "Date", 48, .end, nil),
            ("meter_identifier,serial_number,read_date,hh{1-48}", "meter_identifier", "read_date", 48, nil, nil),
            ("MPRN,Date,Units,{00:30}|# Flag", "MPRN", "Date", 48, .end, "00:30 Flag"),
            ("Mpan,Settlement Date,{1-50},Grand Total", "Mpan", "Settlement Date", 50, nil, nil),
            ("MPR,Date,hr{hhmm0}", "MPR", "Date", 48, .start, nil),
            ("Client,MPAN,MPAN2,Id,ReadingType,Units,Date,{00:00}", "MPAN", "Date", 48, .start, nil),
            ("ConsumerName,MPR,MPRAlias,ReadDate,Reading,ConsumptionProfileDate,ProfileDateConsumption,H{hhmm},ReportingUnit", "MPR", "ConsumptionProfileDate", 48, .end, nil),
            ("Date,Loaded,MPAN,Total,{1-50}", "MPAN", "Date", 50, nil, nil),
            ("mpan,rdate,TotalConsumptionKwh,MaxDemand,colStatuskwh,Kwh{1-48}", "mpan", "rdate", 48, nil, nil),
            ("MPAN,@Meter/ @GSP / @NBP,Date,Sum HH Consumption (for the day),Actual or Estimate,Measurement Quantity ID,Consumption(KWh) HH{1-50}", "MPAN", "Date", 50, nil, nil),
            ("customerNumber,account,meterPoint,units,readDate_uk,consumptionNHH,consumptionHH_{00:00}_00", "meterPoint", "readDate_uk", 48, .start, nil),
        ] as [(String, String, String, Int, TimeLabels?, String?)]
    )
    func `columns of a day are known by their names`(header: String, meter: String, date: String, count: Int, labels: TimeLabels?, flag: String?) throws {
        let layout = try self.layout(header)
        #expect(layout.meter.map { layout.names[$0] } == meter)
        #expect(layout.names[layout.date] == date)
        #expect(layout.periods.map(\.place) == Array(0..<count))
        #expect(layout.labels == labels)
        #expect(layout.periods.first?.flag.map { layout.names[$0] } == flag)
        #expect(layout.periods.allSatisfy { ($0.flag == nil) == (flag == nil) })
    }

    @Test(
        arguments: [
            ("MPAN,ReadingDate,ReadTime,MeterConsumption", "MPAN", "ReadingDate ReadTime", "MeterConsumption"),
            ("MPRN,Date,Time,Meter Units,Meter Start Read,Consumption,KWH", "MPRN", "Date Time", "KWH"),
            ("Fuel,Meter Point,Date,Time Slot,Consumption,Company", "Meter Point", "Date Time Slot", "Consumption"),
            ("MSN,DateTime,Kwh", "MSN", "DateTime", "Kwh"),
            ("MPAN,DateTime,Consumption (kVArh),Consumption (kWh)", "MPAN", "DateTime", "Consumption (kWh)"),
            ("MPAN,Read Date,Time,Reading,Consumption (kWh)", "MPAN", "Read Date Time", "Consumption (kWh)"),
            ("MPAN Number,Meter Serial Number,Read Date,Read Time,kWh", "MPAN Number", "Read Date Read Time", "kWh"),
            ("MPAN,Settlement Date,Settlement Period,Consumption", "MPAN", "Settlement Date Settlement Period", "Consumption"),
            ("Meter,Date,Time,Import kWh,Export kWh", "Meter", "Date Time", "Import kWh"),
            ("MPAN,Consumption (kwh), Estimated Cost Inc. Tax (p), Standing Charge Inc. Tax (p), Start, End", "MPAN", "Start", "Consumption (kwh)"),
            ("MPAN,timestamp (UTC),energyConsumption (kWh)", "MPAN", "timestamp (UTC)", "energyConsumption (kWh)"),
            ("MPAN,Start Date,Start Time,End Date,End Time,kWh", "MPAN", "Start Date Start Time", "kWh"),
            ("MPRN,Read Date,Time,Volume (m3),Energy (kWh)", "MPRN", "Read Date Time", "Energy (kWh)"),
        ] as [(String, String, String, String)]
    )
    func `columns of rows are known by their names`(header: String, meter: String, when: String, value: String) throws {
        let layout = try self.layout(header)
        #expect(layout.meter.map { layout.names[$0] } == meter)
        #expect(layout.value.map { layout.names[$0] } == value)
        let times: [Int] =
            switch layout.shape {
            case .columns(let date), .daily(let date, _, _): [date]
            case .datetime(let column, _): [column]
            case .dateAndTime(let date, let time, _): [date, time]
            case .dateAndPeriod(let date, let period, _): [date, period]
            }
        #expect(times.map { layout.names[$0] }.joined(separator: " ") == when)
    }

    @Test(arguments: ["Meter Name,Date,{00:00}", "MeterName,Date,{00:00}", "Channel,Date,{00:30}", "Read date,Time,Site Name, Actual (KWH)", "Site,Day,Unit,{00:00}"])
    func `a name is no meter until somebody says so, and the refusal names what to say`(header: String) throws {
        #expect { try layout(header) } throws: { "\($0)".contains("--mpan") && "\($0)".contains("--meter-column") }
        #expect(try layout(header, ImportOptions(mpan: "1200023305967")).meterKind == .job)
        var options = ImportOptions()
        options.meterColumn = Self.expand(header).first { ["Meter Name", "MeterName", "Channel", "Site Name", "Site"].contains($0) }
        let chosen = try layout(header, options)
        #expect(chosen.meter.map { chosen.names[$0] } == options.meterColumn)
    }

    @Test(arguments: [
        ("ai", Quantity.consumed), ("Import", .consumed), ("kWh Import", .consumed), ("AE", .export), ("Export", .export), ("RI", .reactive),
        ("kVArh", .reactive), ("kVA", .other), ("A+", .consumed), ("A-", .export),
    ])
    func `what rows measure is known by its words`(word: String, quantity: Quantity) {
        #expect(Catalogue.quantityWords[FileLayout.word(word)] == quantity)
    }

    @Test(arguments: [
        ("Consumption(KWh) HH1", ["consumption", "kwh", "hh", "1"]), ("consumptionHH_00_30_00", ["consumption", "hh", "00", "30", "00"]),
        ("ReadTypeHH1", ["read", "type", "hh", "1"]), ("colStatuskwh", ["col", "status", "kwh"]), ("readDate_uk", ["read", "date", "uk"]),
        ("MPANCore", ["mpan", "core"]), ("Kwh12", ["kwh", "12"]), ("12:30 AM", ["12", "30", "am"]), ("Volume (m\u{B3})", ["volume", "m3"]),
        ("\u{A3} cost", ["gbp", "cost"]), ("kVArh Import", ["kvarh", "import"]),
    ])
    func `a name falls into its words`(name: String, words: [String]) {
        #expect(ColumnName(name).words == words)
    }
}
