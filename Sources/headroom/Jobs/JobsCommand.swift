import ArgumentParser

/// `headroom jobs`: puts files into the queue, looks at it, and takes care of it.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "Queues files for import, shows the queue, and takes care of it.",
        subcommands: [
            AddJob.self, ListJobs.self, ShowJob.self, JobRejects.self, CancelJob.self, RetryJob.self, DeleteJob.self,
            PruneJobs.self, JobsHealth.self,
        ]
    )
}
