import ServingModel
import Testing

@testable import Messages

/// Mutated frames of every type must be decoded or refused, within their budgets, and never crash.
///
/// `ALADDIN_FUZZ_ROUNDS` sets how many there are in all, `ALADDIN_FUZZ_SEED` draws others.
@Suite("Fuzzing")
struct FuzzTests {
    private static let settings = FuzzSettings.current

    private func fuzz<Message: WireRoot & Drawable & Hashable>(
        _ type: Message.Type,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        report(Fuzzer.bodies(of: type, rounds: Self.settings.roundsPerKind, seed: Self.settings.seed), sourceLocation)
    }

    private func report(_ run: Fuzzer, _ sourceLocation: SourceLocation = #_sourceLocation) {
        print("fuzzed \(run)")
        if let fault = run.fault {
            Issue.record("seed \(Self.settings.seed): \(fault)", sourceLocation: sourceLocation)
        }
        // Mutations that are all refused, or none of them, try nothing.
        let triesBoth = run.accepted > 0 && run.refused > 0
        #expect(run.cases < 500 || triesBoth, sourceLocation: sourceLocation)
    }

    @Test("mutated session messages")
    func sessionMessages() throws {
        try fuzz(Hello.self)
        try fuzz(Welcome.self)
        try fuzz(Status.self)
    }

    @Test("mutated requests and events of the frontend")
    func frontendMessages() throws {
        try fuzz(GenerateRequest.self)
        try fuzz(GenerateEvent.self)
        try fuzz(AttachRequest.self)
        try fuzz(AcknowledgeRequest.self)
        try fuzz(CancelRequest.self)
        try fuzz(ModelList.self)
    }

    @Test("mutated messages of workers")
    func workerMessages() throws {
        try fuzz(WorkerReport.self)
        try fuzz(WorkerCommand.self)
    }

    @Test("mutated messages of schedulers")
    func schedulerMessages() throws {
        try fuzz(SchedulerReport.self)
        try fuzz(ClusterEvents.self)
    }

    @Test("mutated messages of operators")
    func adminMessages() throws {
        try fuzz(GetStatusRequest.self)
        try fuzz(ClusterStatus.self)
        try fuzz(ExplainRequest.self)
        try fuzz(QueryExplanation.self)
    }

    @Test("mutated headers; one that is read is written as the same")
    func headers() throws {
        report(Fuzzer.headers(rounds: Self.settings.roundsPerKind, seed: Self.settings.seed))
    }
}
