import Glibc

/// All in which one server differs from another: the rest of a sandbox is the same for each.
struct ServerPrograms {
    /// The command that runs the server, up to its own options.
    var server: [String]

    /// The command that fills a data folder; it takes `--datadir` and `--tmpdir`.
    var installer: [String]

    /// The options that are the server's own, in every sandbox.
    var arguments: [String]

    /// The statements that its data folder needs beside those that make the account.
    var statements: [String] = []

    /// What the programs want to hear before they run as root.
    static var userArguments: [String] { geteuid() == 0 ? ["--user=root"] : [] }
}
