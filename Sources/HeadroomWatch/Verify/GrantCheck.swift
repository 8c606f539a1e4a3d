import Headroom

/// What an account may do on the whole server: too little to see everything, or more than an application should.
struct GrantCheck {
    /// The privileges that hold for the whole server, in capitals.
    private let global: Set<String>

    /// With these whoever has the application has the server, or is not bound by its limits.
    private static let excessive: Set<String> = [
        "ALL PRIVILEGES", "ALL", "SUPER", "CREATE USER", "GRANT OPTION", "FILE", "SHUTDOWN",
    ]

    /// Reads the lines of SHOW GRANTS; only the names of privileges are kept, as a line may hold the password's hash.
    init(_ lines: [String]) {
        var global: Set<String> = []
        for line in lines {
            guard let place = line.place(of: " ON *.* TO "), let names = line[..<place.lowerBound].after("GRANT ")
            else { continue }
            for name in names.pieces(separator: ",") {
                global.insert(name.dropping { $0 == " " }.uppercased())
            }
            if line[place.upperBound...].holds(" WITH GRANT OPTION") { global.insert("GRANT OPTION") }
        }
        self.global = global
    }

    var isAll: Bool { !global.isDisjoint(with: ["ALL PRIVILEGES", "ALL"]) }

    var finding: Finding {
        let tooMuch = global.intersection(Self.excessive).sorted()
        guard tooMuch.isEmpty else {
            return .failed(
                "on the whole server the account has \(tooMuch.joined(separator: ", "))",
                next:
                    "Use an account with rights on its own database only; SUPER also gets past the server's limit, so "
                    + "that nothing protects the last place."
            )
        }
        if global.contains("PROCESS") { return .passed("PROCESS is there, nothing is excessive") }
        return .passed(
            "nothing is excessive; PROCESS is missing, with it status and kill-idle would show which sessions are in a "
                + "transaction, and all accounts"
        )
    }
}
