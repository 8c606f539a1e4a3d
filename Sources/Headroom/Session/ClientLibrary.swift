import CMariaDB
import COpenSSL

/// The C client that Headroom speaks to servers through.
package enum ClientLibrary {
    /// Its version.
    package static var version: String { String(cString: mysql_get_client_info()) }

    /// It and what it is built on, each a name and a version.
    package static var versions: [(name: String, version: String)] {
        var versions = [("MariaDB Connector/C", version)]
        versions.append(("OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING).map { String(cString: $0) } ?? "unknown"))
        #if STATIC_PROGRAM
        versions.append(("zlib", String(cString: zlibVersion())))
        #endif
        return versions
    }
}
