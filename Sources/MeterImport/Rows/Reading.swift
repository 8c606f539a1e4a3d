/// A reading of a file, ready to be stored.
struct Reading: Hashable, Sendable {
    /// The meter's place in the chunk's ``Chunk/meters``.
    var meter: Int
    /// The local day.
    var date: CalendarDate
    /// What the clock shows at the start of the half-hour, in seconds since midnight; 0 for a whole day.
    var seconds: Int32 = 0
    /// The half-hour's number in the day from 1; 0 for a whole day.
    var periodNumber: Int16 = 0
    /// Whether the clock shows the time for the second time, as it does after being put back.
    var isSecondRun = false
    /// How it came about.
    var type: ReadingType
    /// The energy used in it.
    var energy: Energy

    init(meter: Int, halfHour: HalfHour, energy: Energy, type: ReadingType) {
        self.meter = meter
        date = halfHour.date
        seconds = Int32(truncatingIfNeeded: halfHour.seconds)
        periodNumber = Int16(truncatingIfNeeded: halfHour.period)
        isSecondRun = halfHour.isSecondRun
        self.energy = energy
        self.type = type
    }

    init(meter: Int, day: CalendarDate, energy: Energy, type: ReadingType) {
        self.meter = meter
        date = day
        self.energy = energy
        self.type = type
    }

    /// The half-hour's number in the day; `nil` for a whole day.
    var period: Int? { periodNumber == 0 ? nil : Int(periodNumber) }

    /// The start as SQL reads it, such as `00:30:00`; `nil` for a whole day.
    var time: String? { periodNumber == 0 ? nil : HalfHour.text(seconds: Int(seconds)) }
}
