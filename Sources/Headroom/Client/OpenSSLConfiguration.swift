import CLibrary
import Synchronization

/// The machine's configuration of OpenSSL (`openssl.cnf`): which versions and ciphers it allows, which providers it loads.
///
/// The client library has it read as soon as it is started, whether a connection is to be encrypted or not: a tenth of the
/// time and 0.8 MB of a command that asks a server on a unix socket one question.
package enum OpenSSLConfiguration {
    private static let isDeferred = Atomic(false)

    /// Has it read only when the first connection that asks for TLS is made.
    ///
    /// To be called before the first connection, and only by a program in which nothing but Headroom uses OpenSSL: whatever
    /// else did would start without the machine's rules. Nothing happens when the client library is built on another.
    package static func deferUntilNeeded() {
        guard let start: Start = find("OPENSSL_init_crypto") else { return }
        // OPENSSL_init_crypto(3). 0x80 is NO_LOAD_CONFIG: no later start reads it by itself. 0x80000 is NO_ATEXIT: at the end
        // of the process its memory goes without OpenSSL's help.
        if start(0x80 | 0x80000, nil) == 1 { isDeferred.store(true, ordering: .releasing) }
    }

    /// Has it read now, once, if that was deferred; as OpenSSL does at its start.
    static let needed: Void = {
        guard isDeferred.load(ordering: .acquiring), let prepare: Prepare = find("OPENSSL_load_builtin_modules"),
            let load: Load = find("CONF_modules_load_file")
        else { return }
        prepare()
        // 0x32: the default section where none is named; neither a missing file nor an unknown line is an error
        // (CONF_modules_load_file(3), and crypto/conf/conf_sap.c for the start's own).
        _ = load(nil, nil, 0x32)
    }()

    private typealias Start = @convention(c) (UInt64, UnsafeRawPointer?) -> Int32
    private typealias Prepare = @convention(c) () -> Void
    private typealias Load = @convention(c) (UnsafePointer<CChar>?, UnsafePointer<CChar>?, UInt) -> Int32

    private static func find<Function>(_ name: String) -> Function? {
        kernel_find_function(name).map { unsafeBitCast($0, to: Function.self) }
    }
}
