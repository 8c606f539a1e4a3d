import HTTPTypes
import Headroom
import Hummingbird
import NIOCore
import NIOHTTP1

/// The names that the dashboard is served under.
///
/// A page from elsewhere whose name is made to lead here (DNS rebinding) has its own name in the Host header, so it gets nothing.
struct HostNames: Sendable {
    /// A name with its port; without one it is any port.
    struct Name: Sendable, Hashable {
        var host: String
        var port: Int?

        /// Reads what stands in a Host header; `nil` when it is no name and no address.
        init?(_ text: some StringProtocol) {
            guard text.utf8.count <= 260 else { return nil }
            var rest = Substring(text)
            if rest.utf8.first == UInt8(ascii: "[") {
                guard let end = rest.unicodeScalars.firstIndex(of: "]"),
                    let address = Self.address(String(rest[rest.index(after: rest.startIndex)..<end]))
                else { return nil }
                host = address
                rest = rest[rest.index(after: end)...]
            } else {
                let name = rest.leading { $0 != ":" }
                let isPlain = name.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                        UInt8(ascii: "*"):
                        true
                    default: false
                    }
                }
                guard isPlain, !name.isEmpty, name != "." else { return nil }
                host = (name.ends(with: ".") ? name.dropLast() : name).lowercased()
                rest = rest[name.endIndex...]
            }
            guard !rest.isEmpty else { return }
            let digits = rest.dropFirst()
            guard rest.utf8.first == UInt8(ascii: ":"), (1...5).contains(digits.utf8.count),
                digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let port = Int(digits), port <= 65_535
            else { return nil }
            self.port = port
        }

        /// An IPv6 address in its one usual form.
        private static func address(_ text: String) -> String? {
            guard case .v6(let address)? = try? SocketAddress(ipAddress: text, port: 0) else { return nil }
            return SocketAddress(address.address).ipAddress
        }

        /// Whether a name in a request is this one; `*.` stands for one label.
        func matches(_ asked: Name) -> Bool {
            guard port == nil || port == asked.port else { return false }
            guard host.begins(with: "*.") else { return host == asked.host }
            return asked.host.dropping { $0 != "." } == host.dropFirst() && !asked.host.begins(with: ".")
        }

        var isLoopback: Bool { WebOptions.Place.tcp(host: host, port: 0).isLoopback }
    }

    private let names: [Name]
    private let isLoopback: Bool
    private let isAny: Bool
    private let usualPort: Int

    /// - Parameters:
    ///   - options: How the dashboard is served.
    ///   - certified: The names in its certificate.
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when a name is none, or nobody could ask under any.
    init(_ options: WebOptions, certified: [String] = []) throws {
        var names = try options.hostNames.map { text in
            guard let name = Name(text) else {
                throw DatabaseError(
                    .settingsInvalid,
                    message: "'\(text)' is no name that a browser could ask for.",
                    advice:
                        "--host-name takes a name or an address, and a port if only that is meant: db.example.org:8443."
                )
            }
            return name
        }
        names += certified.compactMap { Name($0) }
        isLoopback = if case .tcp = options.place { options.place.isLoopback } else { false }
        usualPort = options.certificate == nil ? 80 : 443
        switch options.place {
        case .socket:
            // No browser reaches a socket, and what a proxy calls it is the proxy's own.
            isAny = names.isEmpty
        case .tcp(let host, _):
            isAny = false
            let own = Name(host.holds(":") ? "[\(host)]" : host)
            if !isLoopback, let own, !["0.0.0.0", "::"].contains(own.host) { names.append(own) }
            guard isLoopback || !names.isEmpty else {
                throw DatabaseError(
                    .settingsInvalid,
                    message: "The dashboard does not know under which names it is served: it listens on all addresses, "
                        + "and no certificate names it.",
                    advice: "Give --host-name NAME, as it stands in the browser's address line."
                )
            }
        }
        self.names = names
    }

    /// Whether a request is for us.
    ///
    /// - Parameters:
    ///   - authority: The Host header; `nil` without.
    ///   - port: The port that it came to, as far as it is known.
    /// - Returns: Whether it is.
    func accept(_ authority: String?, port: Int?) -> Bool {
        if isAny { return true }
        guard let authority, let asked = Name(authority) else { return false }
        if isLoopback, asked.isLoopback, port == nil || (asked.port ?? usualPort) == port { return true }
        return names.contains { $0.matches(asked) }
    }
}

/// Lets only those requests pass that are for a name of ours.
struct HostCheck: RouterMiddleware {
    typealias Context = WebContext

    let names: HostNames

    @concurrent func handle(
        _ request: Request,
        context: WebContext,
        next: @concurrent (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        // What asks for these goes by addresses, often without a Host, and they say nothing that is of worth.
        if ["/healthz", "/readyz"].contains(request.uri.path) { return try await next(request, context) }
        // The first stands as the authority, so this is a second one.
        guard request.headers[HTTPField.Name.secondHost] == nil else {
            throw WebError(.badRequest, "The request has several Host headers.")
        }
        guard names.accept(request.head.authority, port: context.port) else {
            throw WebError(
                .misdirectedRequest,
                "The dashboard is not served under that name.",
                advice:
                    "Ask for a name of its own, or start it with --host-name and the name in the browser's address line.",
                code: "host_unknown"
            )
        }
        return try await next(request, context)
    }
}

/// Has a request that names a host in its target too ("GET http://name/ HTTP/1.1") name the same in its Host header.
///
/// It goes before the conversion to `HTTPRequest`, which drops the target's name.
final class TargetCheck: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = unwrapInboundIn(data),
            !Self.agrees(target: head.uri, host: head.headers.first(name: "Host"))
        else { return context.fireChannelRead(data) }
        // No name, so that nothing is served under it.
        head.headers.replaceOrAdd(name: "Host", value: "?")
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// Whether a target is a path, or names the same host as the header.
    static func agrees(target: String, host: String?) -> Bool {
        if target.begins(with: "/") || target == "*" { return true }
        guard let start = target.place(of: "://") else { return false }
        let named = target[start.upperBound...].leading { $0 != "/" && $0 != "?" && $0 != "#" && $0 != "\\" }
        return named.lowercased() == host?.lowercased()
    }
}

extension HTTPField.Name {
    fileprivate static var secondHost: Self { Self("Host") ?? .from }
}
