internal import ArgumentParser
internal import Foundation
internal import Scheduling
internal import ServingModel
internal import Simulation

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Asks what the recorded past would have been under another policy or number of workers.",
        discussion: """
            Reads a broker's journal, which may be in use, and replays its queries on simulated workers, each with its \
            own arrival, lengths, objectives, priority and tenant. What really happened is printed beside it. \
            --slo-ttft-ms and --slo-atgt-ms take the place of what was recorded.
            """
    )

    @Option(help: "The journal: the directory that the broker has as --data, or its database, postgres://….")
    var journal: String

    @Option(help: "Which model's queries, if the journal has several.")
    var model: String?

    @Option(
        help: """
            Latency profile (JSON) of the workers; PROFILE.json:COUNT, repeated, for several kinds. \
            (default: what the broker noted of its workers beside the journal)
            """
    )
    var profile: [String] = []

    @OptionGroup var question: StudyQuestion

    func run() async throws {
        let given = question.options.objective
        let wanted = try given.objective()
        let past = try RecordedPast(
            journal: journal,
            model: model,
            timeToFirstToken: given.timeToFirstToken.map { _ in wanted.timeToFirstToken },
            averageTokenTime: given.averageTokenTime.map { _ in wanted.averageTokenTime }
        )
        let workers = try profile.isEmpty ? past.recordedWorkers(in: journal) : WorkerMixArgument(profile)
        // As many as there were, if nothing else is asked for.
        let size = try question.size(workers.count ?? (past.workers > 0 ? past.workers : nil))
        let prepared = try question.prepare(workers, past.file, skipsBadLines: true)
        if let note = past.note { Terminal.complain(note) }
        if let first = prepared.file.skipped.first {
            Terminal.complain(
                "left out \(prepared.file.skipped.count) queries out of reach; the first: \(first.message)"
            )
        }
        let outcome = try await question.answer(prepared, size: size)
        guard question.json else { return Terminal.write(past.text + "\n" + outcome.text + "\n") }
        var object = outcome.object
        object["recorded"] = past.object
        Terminal.write(try Terminal.json(object) + "\n")
    }
}
