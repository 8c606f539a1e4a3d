import CLibrary
import CMariaDB
import COpenSSL

/// Logs in by MySQL's caching_sha2_password and sha256_password, in the place of the library's own plug-ins.
///
/// Both can end with the password itself: over TLS as it is, without TLS encrypted with a key that the server sends. The
/// library's own (3.3, `plugins/auth`) give it to any server that asks, and take TLS that was asked for to be in force. Here the server
/// first needs leave (``ServerTrust``). The exchange is MySQL's (its manual's "Caching SHA-2 Pluggable Authentication", and
/// `sha2_password_common.cc`).
enum SHA2Authentication {
    /// Puts both in the library's place, once for the process.
    static let register: Void = {
        for method in [AuthenticationMethod.cachingSHA2, .sha256] {
            let plugin = UnsafeMutablePointer<st_mysql_client_plugin_AUTHENTICATION>.allocate(capacity: 1)
            var values = st_mysql_client_plugin_AUTHENTICATION()
            // MYSQL_CLIENT_AUTHENTICATION_PLUGIN, and the version of its interface.
            (values.type, values.interface_version) = (2, 0x0100)
            (values.name, values.author, values.desc, values.license) =
                (permanent(method.rawValue), permanent("Headroom"), permanent("Asks for leave"), permanent("MIT"))
            plugin.initialize(to: values)
            var handle = MYSQL()
            // A library may have its own built in, which is then what it returns, and asks from then on.
            let registered = mariadb_register_login(&handle, plugin)
            if method == .cachingSHA2 {
                registered?.pointee.authenticate_user = { SHA2Authentication.run($0, $1, isCaching: true) }
            } else {
                registered?.pointee.authenticate_user = { SHA2Authentication.run($0, $1, isCaching: false) }
            }
        }
    }()

    private static func permanent(_ text: String) -> UnsafePointer<CChar>? { UnsafePointer(strdup(text)) }

    private typealias Channel = UnsafeMutablePointer<MYSQL_PLUGIN_VIO>

    private static let failed = CR_ERROR
    private static let done = CR_OK

    /// Runs the exchange; called on the stack of the library's non-blocking calls, which is small.
    private static func run(_ channel: Channel?, _ handle: UnsafeMutablePointer<MYSQL>?, isCaching: Bool) -> Int32 {
        guard let channel, let handle else { return failed }
        // The scramble and a zero.
        guard let nonce = read(channel) else { return failed }
        guard nonce.count == 21, let password = handle.pointee.passwd else { return CR_SERVER_HANDSHAKE_ERR }
        let scramble = nonce.dropLast()
        withUnsafeMutableBytes(of: &handle.pointee.scramble_buff) { $0.copyBytes(from: scramble + [0]) }
        let secret = Array(UnsafeRawBufferPointer(start: password, count: strlen(password)))
        guard !secret.isEmpty else { return write(isCaching ? [] : [0], to: channel) }
        let client = Client.of(handle)
        client?.isAskedForMore = true
        if isCaching {
            guard write(proof(of: secret, scramble), to: channel) == done, let answer = read(channel) else {
                return failed
            }
            switch answer {
            case [3]: return done
            case [4]: break
            // OK at once, as some proxies have it.
            case let other where other.first == 0 && other.count > 2: return CR_OK_HANDSHAKE_COMPLETE
            default: return CR_MALFORMED_PACKET
            }
        }
        return sendPassword(secret, scramble, over: channel, request: isCaching ? 2 : 1, client, handle)
    }

    /// Sends the password itself, if the server has leave.
    private static func sendPassword(
        _ secret: [UInt8],
        _ scramble: ArraySlice<UInt8>,
        over channel: Channel,
        request: UInt8,
        _ client: Client?,
        _ handle: UnsafeMutablePointer<MYSQL>
    ) -> Int32 {
        let isEncrypted = mysql_get_ssl_cipher(handle) != nil
        if isEncrypted || isSocket(channel) {
            guard client?.mayHavePassword(isEncrypted: isEncrypted) ?? !isEncrypted else { return refuse(handle) }
            return write(secret + [0], to: channel)
        }
        guard write([request], to: channel) == done, let answer = read(channel) else { return failed }
        guard let key = PublicKey(pem: answer) else { return CR_MALFORMED_PACKET }
        client?.takeKey(key.identity)
        guard client?.mayHavePassword(isEncrypted: false) ?? false else { return refuse(handle) }
        let masked = zip(secret + [0], 0...).map { byte, index in byte ^ scramble[scramble.startIndex + index % 20] }
        guard let encrypted = key.encrypted(masked) else { return CR_MALFORMED_PACKET }
        return write(encrypted, to: channel)
    }

    /// Proves knowledge of the password without showing it.
    static func proof(of secret: [UInt8], _ scramble: some Sequence<UInt8>) -> [UInt8] {
        let once = SHA256.digest(of: secret)
        return zip(once, SHA256.digest(of: SHA256.digest(of: once) + scramble)).map { $0 ^ $1 }
    }

    private static func isSocket(_ channel: Channel) -> Bool {
        var information = MYSQL_PLUGIN_VIO_INFO()
        channel.pointee.info(channel, &information)
        return information.protocol == MYSQL_VIO_SOCKET
    }

    private static func read(_ channel: Channel) -> [UInt8]? {
        var packet: UnsafeMutablePointer<UInt8>?
        let count = channel.pointee.read_packet(channel, &packet)
        guard count >= 0 else { return nil }
        return Array(UnsafeBufferPointer(start: packet, count: Int(count)))
    }

    private static func write(_ bytes: [UInt8], to channel: Channel) -> Int32 {
        let count = Int32(clamping: bytes.count)
        return bytes.withUnsafeBufferPointer { channel.pointee.write_packet(channel, $0.baseAddress, count) } == 0
            ? done : failed
    }

    /// Ends the login.
    ///
    /// The client says why; the number is there for the library to have one.
    private static func refuse(_ handle: UnsafeMutablePointer<MYSQL>) -> Int32 {
        handle.pointee.net.last_errno = UInt32(CR_AUTH_PLUGIN_ERR)
        return failed
    }
}
