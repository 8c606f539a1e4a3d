import Crypto
import Headroom
import Hummingbird

/// What travels in the program: pages, stylesheet, script, icon.
struct Assets: Sendable {
    /// A file that a browser keeps: its name changes with its content.
    struct File: Sendable {
        var name: String
        var type: String
        var content: ByteBuffer
    }

    /// The paths, as a page names them.
    struct Paths: Sendable {
        var style: String
        var script: String
        var icon: String
    }

    let files: [String: File]
    let paths: Paths
    private let templates: [String: Template]

    init() throws {
        let style = Self.file("style", "css", "text/css; charset=utf-8", PackageResources.style_css)
        let script = Self.file("live", "js", "text/javascript; charset=utf-8", PackageResources.live_js)
        let icon = Self.file("icon", "svg", "image/svg+xml", PackageResources.icon_svg)
        files = Dictionary(uniqueKeysWithValues: [style, script, icon].map { ($0.name, $0) })
        paths = Paths(
            style: "/assets/\(style.name)",
            script: "/assets/\(script.name)",
            icon: "/assets/\(icon.name)"
        )
        templates = try Self.sources.mapValues { try Template(String(decoding: $0, as: UTF8.self)) }
    }

    private static var sources: [String: [UInt8]] {
        [
            "page": PackageResources.page_mustache, "signin": PackageResources.signin_mustache,
            "account": PackageResources.account_mustache, "holders": PackageResources.holders_mustache,
            "hosts": PackageResources.hosts_mustache,
            "stamp": PackageResources.stamp_mustache, "timeline": PackageResources.timeline_mustache,
            "confirm": PackageResources.confirm_mustache, "message": PackageResources.message_mustache,
            "imports": PackageResources.imports_mustache, "job": PackageResources.job_mustache,
            "upload": PackageResources.upload_mustache,
        ]
    }

    /// Fills a template in; every value is escaped.
    func render(_ template: String, _ view: Any) -> String {
        templates[template]?.render(view) ?? ""
    }

    private static func file(_ name: String, _ ending: String, _ type: String, _ content: [UInt8]) -> File {
        let hash = Secret.hex(SHA256.hash(data: content).prefix(6))
        return File(name: "\(name).\(hash).\(ending)", type: type, content: ByteBuffer(bytes: content))
    }
}
