public import Hummingbird

/// A request context with a database of its own: one connection at most, for as long as the request needs it.
public protocol DatabaseRequestContext: RequestContext {
    /// The database, as this request sees it.
    var database: RequestDatabase { get }
}

/// The context of an application that needs no more of its requests than a database.
public struct BasicDatabaseRequestContext: DatabaseRequestContext {
    /// What Hummingbird itself keeps of a request.
    public var coreContext: CoreRequestContextStorage

    /// The database, as this request sees it.
    public let database: RequestDatabase

    /// Creates the context of a request.
    public init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        database = RequestDatabase(source: source)
    }
}
