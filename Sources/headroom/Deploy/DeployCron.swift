import ArgumentParser
import CommandSupport
import HeadroomWatch

/// `headroom deploy cron`: the cron lines for this host, and what is wrong with those that are there.
struct DeployCron: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cron",
        abstract: "Prints the cron lines for this host, and finds what is wrong with what is there.",
        discussion: """
            Prints a file for /etc/cron.d, or, for a user who is not root, lines for that user's own crontab. Then it looks \
            at the crontabs, the units and the processes of this host, and says on standard error what is wrong: two entries \
            for one worker, a service and a cron entry together, the worker that Headroom replaces, no settings. It changes \
            nothing. Exits with 1 when something is wrong.

            Examples:
              headroom deploy cron > /etc/cron.d/headroom
              headroom deploy cron --user www-data --env-file /srv/app/.env
            """
    )

    @OptionGroup var options: DeployOptions

    func run() async throws {
        try await runCommand {
            let plan = try options.plan()
            let (facts, findings) = options.check(plan)
            try options.report([plan.crontab], facts, findings)
        }
    }
}
