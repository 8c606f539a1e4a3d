import ArgumentParser
import CommandSupport
import HeadroomWatch

/// `headroom deploy systemd`: the units for this host, and what is wrong with those that are there.
struct DeploySystemd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "systemd",
        abstract: "Prints the systemd units for this host, and finds what is wrong with what is there.",
        discussion: """
            Prints the worker's and the guard's unit, each below the path of its file; where the package has installed its \
            own, only what differs from those. Then it looks at the crontabs, the units and the processes of this host, and \
            says on standard error what is wrong: two services for one worker, a service and a cron entry together, the \
            worker that Headroom replaces, no settings. It changes nothing. Exits with 1 when something is wrong.

            Examples:
              headroom deploy systemd
              headroom deploy systemd --user www-data --env-file /srv/app/.env
            """
    )

    @OptionGroup var options: DeployOptions

    func run() async throws {
        try await runCommand {
            let plan = try options.plan()
            let (facts, findings) = options.check(plan)
            try options.report(plan.units(installed: Set(facts.units.map(\.name))), facts, findings)
        }
    }
}
