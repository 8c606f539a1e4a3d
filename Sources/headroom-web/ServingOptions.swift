import ArgumentParser
import CommandSupport
import Headroom
import HeadroomJobs
import HeadroomWeb

/// The flags that say how the dashboard is served.
struct ServingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where to listen; port 0 takes a free one.", valueName: "host:port"))
    var listen = "127.0.0.1:8080"

    @Option(help: ArgumentHelp("Listen on a unix socket instead.", valueName: "path"))
    var socketPath: String?

    @Option(help: ArgumentHelp("The users who may sign in, a name:hash a line.", valueName: "file"))
    var userFile: String?

    @Option(
        help: ArgumentHelp(
            "Add a user to --user-file, or change the password, which is asked for; then end.",
            valueName: "name"
        )
    )
    var addUser: String?

    @Option(help: ArgumentHelp("A file with the token (else HEADROOM_WEB_TOKEN).", valueName: "file"))
    var tokenFile: String?

    @Option(help: ArgumentHelp("A file with a token that opens /metrics and nothing else.", valueName: "file"))
    var metricsTokenFile: String?

    @Option(help: ArgumentHelp("The certificate chain for TLS.", valueName: "file"))
    var tlsCertificate: String?

    @Option(help: ArgumentHelp("The certificate's key.", valueName: "file"))
    var tlsKey: String?

    @Flag(help: "A proxy in front does TLS, and names the client in X-Forwarded-For.")
    var behindProxy = false

    @Option(
        help: ArgumentHelp(
            "A name it is served under, as the browser has it; may be given again. Those of loopback and of the "
                + "certificate go without saying.",
            valueName: "name"
        )
    )
    var hostName: [String] = []

    @Option(help: ArgumentHelp("How often to look at the account while somebody watches.", valueName: "duration"))
    var interval = DurationArgument(.seconds(2))

    @Option(help: ArgumentHelp("The guard's history (default: the state folder's).", valueName: "file"))
    var historyFile: String?

    @Option(
        help: ArgumentHelp("Where uploaded files are kept (default: uploads in the state folder).", valueName: "folder")
    )
    var uploadFolder: String?

    @Option(help: ArgumentHelp("The largest file that may be uploaded, in MB; 0 takes none.", valueName: "count"))
    var maxUpload = 256

    @Option(help: ArgumentHelp("The most that all uploaded files may take together, in MB.", valueName: "count"))
    var uploadTotal = 2048

    func validate() throws {
        guard addUser == nil || userFile != nil else { throw ValidationError("--add-user goes with --user-file.") }
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together.")
        }
        guard interval.value >= .milliseconds(200) else { throw ValidationError("--interval must be at least 200ms.") }
        guard (0...102_400).contains(maxUpload) else { throw ValidationError("--max-upload must be from 0 to 102400.") }
        guard (1...104_857_600).contains(uploadTotal) else {
            throw ValidationError("--upload-total must be from 1 to 104857600.")
        }
        guard socketPath != nil || place != nil else {
            throw ValidationError("--listen takes host:port, such as 127.0.0.1:8080.")
        }
    }

    /// Where to listen; `nil` when the text makes no sense.
    private var place: WebOptions.Place? {
        if let socketPath { return .socket(path: socketPath) }
        guard let colon = listen.unicodeScalars.lastIndex(of: ":"),
            let port = Int(listen[listen.unicodeScalars.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        let host = listen[..<colon].dropping { $0 == "[" }.leading { $0 != "]" }
        return .tcp(host: host.isEmpty ? "0.0.0.0" : String(host), port: port)
    }

    /// The token that was set; `nil` when none was.
    func token(_ loaded: LoadedSettings) throws -> String? {
        guard let tokenFile else { return try loaded.found.value(.webToken) }
        return try Self.token(in: tokenFile)
    }

    /// The token for the metrics; `nil` when none was set.
    func metricsToken() throws -> String? { try metricsTokenFile.flatMap(Self.token) }

    private static func token(in file: String) throws -> String? {
        try UserFile.read(file).pieces(where: \.isBlank).first.map(String.init)
    }

    /// The options in the library's terms.
    func options(_ loaded: LoadedSettings) throws -> WebOptions {
        let settings = loaded.database
        var options = WebOptions()
        options.place = place ?? options.place
        if let tlsCertificate, let tlsKey { options.certificate = (tlsCertificate, tlsKey) }
        options.isBehindProxy = behindProxy
        options.mostConnections = DescriptorLimit.connections(under: try DescriptorLimit.raise())
        options.hostNames = hostName
        options.interval = interval.value
        options.historyFile = try historyFile ?? AccountNotes(settings, topic: "history").path(ending: ".sqlite")
        if maxUpload > 0 {
            options.uploadFolder = try uploadFolder ?? AccountNotes(settings, topic: "uploads").path(ending: "")
        }
        options.mostUpload = maxUpload << 20
        options.mostUploadTotal = uploadTotal << 20
        options.importFolders = try ImportFolders(loaded, uploads: options.uploadFolder)
        let name = try QueueName.of(loaded)
        // The worker would find the job by itself, only later.
        options.ring = { try? HostNotification.post(name, stateFolder: settings.stateFolder) }
        return options
    }
}

extension WebOptions {
    /// The address as a person types it.
    func address(_ port: Int?) -> String {
        switch place {
        case .socket(let path): "unix socket \(path)"
        case .tcp(let host, let asked):
            "\(certificate == nil ? "http" : "https")://\(host.holds(":") ? "[\(host)]" : host):\(port ?? asked)/"
        }
    }
}
