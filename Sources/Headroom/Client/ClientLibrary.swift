import CMariaDB

/// The C client that Headroom speaks to servers through.
package enum ClientLibrary {
    /// Its version.
    package static var version: String { String(cString: mysql_get_client_info()) }
}
