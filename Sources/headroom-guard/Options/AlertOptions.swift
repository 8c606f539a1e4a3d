import ArgumentParser
import CommandSupport
import Headroom

/// The flags that say who is told.
struct AlertOptions: ParsableArguments {
    @Option(help: "Run this by the shell for each alert (HEADROOM_ALERT_COMMAND).")
    var alertCommand: String?

    @Option(
        help: ArgumentHelp(
            "Post each alert as JSON to this address; one with a secret in it is better set as HEADROOM_WEBHOOK.",
            valueName: "url"
        )
    )
    var webhook: String?

    @Option(help: ArgumentHelp("Send each alert by mail to this address (HEADROOM_MAIL_TO).", valueName: "address"))
    var mailTo: String?

    @Flag(help: "Log each look too, not only what has changed.")
    var verbose = false

    func validate() throws {
        if let webhook, !WebhookChannel.isUsable(webhook) {
            throw ValidationError("--webhook must be an http:// or https:// address without spaces.")
        }
        if let mailTo, !MailChannel.isUsable(mailTo) {
            throw ValidationError("--mail-to must be an address such as ops@example.org.")
        }
    }

    /// The ways on which alerts go out.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when one cannot work on this host.
    func channels() throws -> [any AlertChannel] {
        var channels: [any AlertChannel] = []
        if let command = alertCommand ?? Variables.value("HEADROOM_ALERT_COMMAND") {
            channels.append(CommandChannel(command: command))
        }
        if let address = webhook ?? Variables.value("HEADROOM_WEBHOOK") {
            channels.append(try WebhookChannel(address))
        }
        if let address = mailTo ?? Variables.value("HEADROOM_MAIL_TO") {
            channels.append(try MailChannel(to: address))
        }
        return channels
    }
}
