internal import ArgumentParser
internal import Foundation
internal import Scheduling
internal import ServingModel
internal import Simulation

struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Replays a trace on simulated workers with the production scheduler.",
        discussion: """
            Times are virtual: the same arguments give the same records to the nanosecond. Attainment is the share of \
            the queries after the warm-up that kept both objectives. p50, p90 and p99 are nearest-rank quantiles.
            """
    )

    @Option(help: "Latency profile (JSON) of the workers; PROFILE.json:COUNT, repeated, for several kinds.")
    var profile: [String] = []

    @OptionGroup var trace: TraceOptions
    @OptionGroup var question: StudyQuestion

    func run() async throws {
        let workers = try WorkerMixArgument(profile)
        let size = try question.size(workers.count)
        let prepared = try question.prepare(workers, trace.file(), skipsBadLines: trace.skipBad)
        if !prepared.file.skipped.isEmpty { Terminal.complain(Self.note(on: prepared.file)) }
        let outcome = try await question.answer(prepared, size: size)
        Terminal.write((question.json ? try Terminal.json(outcome.object) : outcome.text) + "\n")
    }

    private static func note(on file: TraceFile) -> String {
        "left out \(file.skipped.count.counting("line")) of \(file.path); the first: \(file.skipped[0])"
    }
}
