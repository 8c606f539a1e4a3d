import ArgumentParser
import CommandSupport
package import Headroom

/// The flags that say who is told.
package struct AlertOptions: ParsableArguments {
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

    package init() {}

    package func validate() throws {
        if let webhook, !WebhookChannel.isUsable(webhook) {
            throw ValidationError("--webhook must be an http:// or https:// address without spaces.")
        }
        if let mailTo, !MailChannel.isUsable(mailTo) {
            throw ValidationError("--mail-to must be an address such as ops@example.org.")
        }
    }

    /// The ways on which alerts go out: by the flags, else by the settings.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when one cannot work on this host.
    package func channels(_ loaded: LoadedSettings) throws -> [any AlertChannel] {
        var channels: [any AlertChannel] = []
        if let command = try alertCommand ?? loaded.found.value(.alertCommand) {
            channels.append(CommandChannel(command: command))
        }
        if let address = try webhook ?? loaded.found.value(.webhook) {
            channels.append(try WebhookChannel(address))
        }
        if let address = try mailTo ?? loaded.found.value(.mailTo) {
            channels.append(try MailChannel(to: address))
        }
        return channels
    }
}
