internal import ArgumentParser
internal import ServingModel

@main
struct Aladdin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "aladdin",
        abstract: "Schedules LLM queries on as few workers as their objectives allow.",
        discussion: """
            `aladdin up` runs the whole service in one process; broker, scheduler, worker and gateway run its roles \
            apart. Every option can also be given as an environment variable: --worker-endpoint as \
            ALADDIN_WORKER_ENDPOINT.
            """,
        version: Version.current,
        subcommands: [
            Up.self, BrokerCommand.self, SchedulerCommand.self, WorkerCommand.self, GatewayCommand.self,
            QueryCommand.self, StatusCommand.self, BenchCommand.self,
        ]
    )
}
