import Foundation
import ServingModel
import Testing

@testable import Messages

/// Mutated frames of every type must be decoded or refused, within their budgets, and never crash.
///
/// `ALADDIN_FUZZ_ROUNDS` sets how many there are in all.
@Suite("Fuzzing")
struct FuzzTests {
    static let rounds = ProcessInfo.processInfo.environment["ALADDIN_FUZZ_ROUNDS"].flatMap { Int($0) } ?? 130_000
    private static let kinds = 15

    private func fuzz<Message: WireRoot & Drawable & Hashable>(
        _ type: Message.Type,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var random = SeededGenerator(seed: 4711)
        var seeds: [[UInt8]] = []
        var accepted = 0
        var refused = 0
        for round in 0..<(Self.rounds / Self.kinds) {
            if round % 50 == 0 { seeds = (0..<4).map { _ in Message.draw(&random).encode() } }
            var bytes = seeds[round % seeds.count]
            // Two messages in a row are one, merged.
            if random.chance(10) { bytes += seeds[(round + 1) % seeds.count] }
            for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
            guard let message = decodeWithinBudget(type, bytes, round, sourceLocation) else {
                refused += 1
                continue
            }
            accepted += 1
            let again = try Message.decode(message.encode())
            guard again != message else { continue }
            Issue.record("round \(round): \(message) became \(again)", sourceLocation: sourceLocation)
            return
        }
        guard Self.rounds >= 10_000 else { return }
        #expect(accepted > 0 && refused > 0, sourceLocation: sourceLocation)
    }

    private func decodeWithinBudget<Message: WireRoot>(
        _ type: Message.Type,
        _ bytes: [UInt8],
        _ round: Int,
        _ sourceLocation: SourceLocation
    ) -> Message? {
        let budget = Message.budget(forBytes: bytes.count)
        var arena = MessageArena(budget: budget)
        defer {
            if arena.usedBytes > budget {
                Issue.record("round \(round): \(arena.usedBytes) of \(budget)", sourceLocation: sourceLocation)
            }
        }
        do {
            return try bytes.withUnsafeBytes { try Message.decode($0, in: &arena) }
        } catch {
            return nil
        }
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
        try fuzz(ClusterStatus.self)
        try fuzz(ExplainRequest.self)
        try fuzz(QueryExplanation.self)
    }

    @Test("mutated headers; one that is read is written as the same")
    func headers() throws {
        var random = SeededGenerator(seed: 42)
        var accepted = 0
        for _ in 0..<(Self.rounds / Self.kinds) {
            let header = FrameHeader(
                kind: FrameKind.allCases.randomElement(using: &random) ?? .ping,
                method: Method.allCases.randomElement(using: &random) ?? .unspecified,
                session: random.word(),
                stream: random.chance(50) ? 0 : random.word(),
                bodyLength: 5
            )
            var bytes = header.encode()
            if random.chance(80) { mutate(&bytes, &random) }
            guard let read = try? FrameHeader(decoding: bytes, bodyLength: 5) else { continue }
            accepted += 1
            let again = try FrameHeader(decoding: read.encode(), bodyLength: 5)
            #expect(again == read)
        }
        #expect(Self.rounds < 10_000 || accepted > 0)
    }
}
