import Hummingbird

/// A meter, as the list shows it.
struct Meter: ResponseCodable {
    var mpan: String
    var type: String
    var site: String
}

/// What a meter measured in a half-hour, or on a day when there is no time.
struct Reading: ResponseCodable {
    var date: String
    var time: String?
    /// In kWh, as the database's decimal number writes it, so that nothing is lost on the way.
    var value: String
}
