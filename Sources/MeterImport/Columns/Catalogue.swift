/// The words by which suppliers and data collectors name columns, units, quantities and flags: data, no rules.
///
/// Names of columns are compared in lower case, letters and digits only; words are the pieces of a name. A test holds a real
/// header for each.
enum Catalogue {
    /// Columns that hold the number of a supply, an MPAN, an MPRN or either, the first the surest.
    static let supplyNumbers = [
        "mpan", "mpancore", "mpannumber", "mprn", "mpxn", "mpr", "mpannum", "mpanno", "mprnnumber", "mpanmprn",
        "mpanmprnspid", "supplynumber", "meterpoint", "meterpointnumber", "meterpointreference",
        "meterpointreferencenumber", "meteringpoint", "meteringpointid", "meteridentifier", "importmpan", "coreid",
        "metreringsystemid", "meteringsystemid", "msid", "spid", "mpan2",
    ]

    /// Words of such a column's name.
    static let supplyWords: Set<String> = ["mpan", "mpans", "mprn", "mpxn", "mpr", "spid"]

    /// Columns that hold what the host calls its meter by.
    static let meterCodes = [
        "metercode", "meterid", "meterreference", "meterref", "meterreferencenumber", "meternumber", "meterno", "meter",
    ]

    /// Columns that hold the number on the meter itself.
    static let serialNumbers = [
        "meterserialnumber", "meterserial", "meterserialno", "msn", "serialnumber", "serialnum", "serialno", "serial",
        "metermsn", "deviceserial", "deviceid",
    ]

    /// Words of such a column's name.
    static let serialWords: Set<String> = ["msn", "serial"]

    /// Columns that hold a name, of which nobody knows whether it is a meter's own.
    static let names = [
        "metername", "onlinemetername", "name", "site", "sitename", "siteref", "siteid", "description", "channel",
        "location",
        "urn", "account", "customer", "premise", "building",
    ]

    /// Columns with date and time.
    static let datetimes = [
        "datetime", "timestamp", "readdatetime", "readingdatetime", "start", "datetimestamp", "startdatetime",
        "starttime",
        "intervalstart", "periodstart", "from", "readtimestamp", "localtime", "utctime", "enddatetime", "endtime",
        "intervalend",
        "periodend", "end", "to",
    ]

    /// Columns with the day.
    static let dates = [
        "date", "settlementdate", "consumptiondate", "dateutc", "dategmt", "consumptionprofiledate", "profiledate",
        "readdate", "readingdate",
        "perioddate", "billdate", "insertdate", "day", "rdate", "readdateuk", "datadate", "usagedate", "metereddate",
    ]

    /// Columns with the year, the month and the day, each alone.
    static let years = ["year", "yr", "yyyy", "yy"]
    static let months = ["month", "mon", "mm", "mth"]
    static let daysOfMonth = ["day", "dd", "dom", "dayofmonth", "mday"]

    /// Columns with seconds or thousandths of them since 1970.
    static let epochs = [
        "epoch", "epochseconds", "epochms", "epochtime", "unix", "unixtime", "unixtimestamp", "ts", "timestampms",
        "timestampseconds", "epochmillis", "timems", "millis", "time",
    ]

    /// Columns with the time of day, or the number of the half-hour.
    static let times = [
        "time", "readtime", "readingtime", "periodtime", "timeslot", "halfhour", "timeperiod", "hhtime", "starttime",
        "slot",
        "endtime", "interval", "timeofday", "clocktime",
    ]

    /// Columns with the number of the half-hour.
    static let periods = [
        "settlementperiod", "period", "sp", "hh", "periodnumber", "hhperiod", "periodid", "halfhourperiod", "hhno",
        "hhnumber",
    ]

    /// Words that say that a date is not the day of a reading.
    static let otherDates: Set<String> = [
        "run", "loaded", "load", "created", "updated", "uploaded", "install", "installed", "installation", "report",
        "removal",
        "modified", "processed", "received", "issued", "contract", "invoice", "billed",
    ]

    /// Words of a column with energy that was used, the first the surest.
    static let consumption = [
        "consumption", "consumed", "usage", "used", "energy", "units", "advance", "volume", "actual", "kwh",
    ]

    /// Words of a column with a value of which the name does not say what it is.
    static let values = ["value", "readvalue", "reading", "readingvalue", "read", "amount", "quantity", "data"]

    /// Words of a column with what a register shows.
    static let registers: Set<String> = [
        "register", "index", "cumulative", "closing", "opening", "dial", "dials", "previous", "present", "latest",
    ]

    /// Words of a column with a sum over the day.
    static let totals: Set<String> = ["total", "totals", "sum", "subtotal"]

    /// Words of columns with something else than energy.
    static let others: Set<String> = [
        "cost", "price", "charge", "charges", "rate", "gbp", "pence", "bill", "vat", "tariff", "co2", "carbon",
        "emissions",
        "temperature", "temp", "demand", "voltage", "volts", "amps", "current", "power", "factor", "pf", "maxdemand",
        "md",
        "per", "eac", "aq", "contract", "forecast", "budget", "target", "baseline", "annual", "year", "month", "ly",
        "weight",
        "pulse", "pulses", "constant", "average", "avg", "min", "max",
        "percent", "complete", "latitude", "longitude", "capacity", "calorific", "cv", "correction", "pressure",
        "degree",
    ]

    /// Words of a column with a number by which the values may be still to be multiplied.
    static let multipliers: Set<String> = ["multiplier", "constant", "scaling", "scale", "ratio"]

    /// Words of a column with what was used, where it stands beside one that has a unit in its name.
    static let use: Set<String> = ["consumption", "consumed", "usage", "used"]

    /// Columns that say how a reading came about, the first the surest.
    static let flags = [
        "readingtype", "readtype", "meterreadtype", "actualestimated", "actualorestimate", "estimatedactual", "ae",
        "estimate",
        "estimated", "est", "flag", "readflag", "readingflag", "indicator", "datamarker", "marker", "type", "status",
        "dataquality", "quality", "datastatus", "readstatus", "readingstatus", "isactual", "validationstatus",
    ]

    /// Of them those that may be about something else, such as a meter's type.
    static let unsureFlags: Set<String> = ["type", "status"]

    /// Words of a name of flags.
    static let flagWords: Set<String> = [
        "flag", "flags", "indicator", "marker", "estimated", "estimate", "est", "status", "quality", "type", "ae",
    ]

    /// Columns that name the unit of the values.
    static let units = [
        "unit", "units", "uom", "unitofmeasure", "meterunits", "meterunit", "reportingunit", "unitofmeasurement",
    ]

    /// Columns that tell what a row measures.
    static let quantities = [
        "measurementquantity", "measurementquantityid", "mq", "quantity", "channeltype", "channel", "direction", "flow",
        "measurementtype", "measurement", "readingtype", "type", "registertype", "datatype", "readtype", "valuetype",
        "units",
        "unit", "uom", "unitofmeasure", "registerid", "parameter", "meastype", "importexport", "importorexport",
    ]

    /// Columns that name what flows through the meter.
    static let fuels = [
        "fuel", "fueltype", "commodity", "utility", "utilitytype", "metertype", "type", "supplytype", "energytype",
    ]

    /// What rows measure, by the words that say so: lower case, letters and digits, `+` and `-` kept.
    static let quantityWords: [String: Quantity] = {
        let words: [Quantity: [String]] = [
            .consumed: [
                "ai", "import", "imported", "imp", "activeimport", "importactive", "kwhimport", "importkwh", "a+",
                "active",
                "activeenergy", "consumption", "consumed", "kwh", "wh", "mwh", "gwh", "kwhr", "aiactiveimport",
                "activeenergyimport",
                "delivered", "usage", "importactiveenergy", "kwhimp",
            ],
            .export: [
                "ae", "export", "exported", "exp", "activeexport", "exportactive", "kwhexport", "exportkwh", "a-",
                "generation",
                "generated", "aeactiveexport", "activeenergyexport", "received", "feedin", "gen", "exportactiveenergy",
                "kwhexp",
            ],
            .reactive: [
                "ri", "re", "reactive", "reactiveimport", "reactiveexport", "kvarh", "kvarhimport", "kvarhexport", "r+",
                "r-",
                "rireactiveimport", "rereactiveexport", "lag", "lead", "lagging", "leading", "kvarhlag", "kvarhlead",
                "varh",
                "reactiveenergy", "importkvarh", "exportkvarh", "q1", "q2", "q3", "q4", "kvarhr", "kvar",
            ],
            .other: [
                "kva", "kvah", "kw", "md", "maxdemand", "maximumdemand", "demand", "apparent", "pf", "powerfactor",
                "cost",
                "dc", "di", "de",
            ],
        ]
        return Dictionary(uniqueKeysWithValues: words.flatMap { quantity, words in words.map { ($0, quantity) } })
    }()

    /// What flows, by the words that say so.
    static let fuelWords: [String: Fuel] = [
        "electricity": .electricity, "electric": .electricity, "elec": .electricity, "power": .electricity,
        "hhelectricity": .electricity,
        "gas": .gas, "naturalgas": .gas, "water": .water, "heat": .heat, "steam": .heat,
    ]

    /// How readings came about, by the words that say so.
    static let flagWordsOfCells: [String: ReadingType] = [
        "a": .actual, "act": .actual, "actual": .actual, "actuals": .actual, "real": .actual, "ok": .actual,
        "good": .actual, "valid": .actual,
        "e": .estimated, "est": .estimated, "estimate": .estimated, "estimated": .estimated, "substituted": .estimated,
        "s": .estimated, "deemed": .estimated, "interpolated": .estimated, "substitute": .estimated,
        "projected": .estimated, "profiled": .estimated, "metered": .actual, "measured": .actual, "smart": .actual,
        "m": .manual, "man": .manual, "manual": .manual,
    ]

    /// Words by which any column is known to say how readings came about, and words of a name that asks whether they are estimates.
    static let estimateWords: Set<String> = [
        "est", "estimate", "estimated", "deemed", "interpolated", "substituted", "substitute", "projected", "profiled",
        "isestimate", "isestimated",
    ]

    /// Words of a name that asks whether readings are none.
    static let actualWords: Set<String> = ["actual", "metered", "measured", "isactual"]

    /// Words of a line above the header that say what its unit is of.
    static let unitLabels: Set<String> = [
        "unit", "units", "uom", "measured", "measure", "measurement", "values", "value", "readings", "data",
        "consumption",
        "usage", "all",
    ]

    /// Words of a line above the header that say that it is about the times of readings.
    static let periodWords: Set<String> = [
        "period", "periods", "interval", "intervals", "half", "hour", "hh", "time", "times", "timestamp", "timestamps",
        "labelled", "label", "labels",
    ]
    static let endWords: Set<String> = ["end", "ends", "ending", "ended"]
    static let startWords: Set<String> = ["start", "starts", "starting", "begin", "begins", "beginning", "commencing"]

    /// Words that say that a zone is that of the readings' times, and of the report itself.
    static let zoneLabels: Set<String> = [
        "zone", "timezone", "tz", "times", "timestamps", "time", "all", "data", "readings", "clock",
    ]
    static let reportWords: Set<String> = [
        "generated", "created", "run", "printed", "produced", "exported", "report", "extracted", "downloaded",
        "requested",
    ]

    /// What stands in a cell for a value that there is not.
    static let missing: Set<String> = ["null", "na", "nil", "none", "nan", "nodata", "missing"]

    /// What stands in the place of a meter in a row of sums.
    static let totalWords: Set<String> = [
        "total", "totals", "grandtotal", "subtotal", "sum", "overall", "alltotal", "reporttotal",
    ]
}

/// What a column or a row measures.
enum Quantity: String, Codable, Hashable, Sendable {
    /// Energy that was used: imported from the grid.
    case consumed = "import"
    /// Energy that was given back, or generated.
    case export
    /// Reactive energy.
    case reactive
    /// Power, money and everything else.
    case other
}

/// What flows through a meter; the raw values are the database's.
enum Fuel: String, Codable, Hashable, Sendable {
    case electricity, gas, water, heat
}
