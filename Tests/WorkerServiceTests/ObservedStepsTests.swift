import EngineInterface
import ServingModel
import Testing

@testable import WorkerService

/// An engine that batches for itself, as far as its clients can tell: steps, chunked prefill, tokens at each step's end.
private struct ServerTwin {
    struct Sequence {
        var id: SequenceID
        var prompt: Int
        var prefilled = 0
        var tokens = 0
        var wanted: Int
    }

    let profile: LatencyProfile
    let chunk: Int
    var now = Instant.zero
    var running: [Sequence] = []

    /// Computes a step; what arrived before it is in it.
    ///
    /// - Returns: who got tokens, in order, and what the step computed.
    mutating func step() -> (served: [SequenceID], workload: StepWorkload) {
        var workload = StepWorkload(kind: .decode)
        var budget = chunk
        var served: [SequenceID] = []
        for index in running.indices {
            let sequence = running[index]
            if sequence.prefilled == sequence.prompt {
                workload.decodeSequences += 1
                workload.contextTokens += sequence.prompt + sequence.tokens
                running[index].tokens += 1
                served.append(sequence.id)
            } else if budget > 0 {
                let end = min(sequence.prompt, sequence.prefilled + budget)
                budget -= end - sequence.prefilled
                workload.kind = .mixed
                workload.prefillTokens += end - sequence.prefilled
                workload.prefillSquares += end * end - sequence.prefilled * sequence.prefilled
                running[index].prefilled = end
                if end == sequence.prompt {
                    running[index].tokens = 1
                    served.append(sequence.id)
                }
            }
        }
        now = now + profile.duration(of: workload)
        return (served, workload)
    }
}

@Suite("Steps inferred from streams")
struct ObservedStepsTests {
    private var profile: LatencyProfile {
        var profile = LatencyProfile(model: "m", device: "d")
        profile.prefill.k1Milliseconds = 0.1
        profile.prefill.k1qMilliseconds = 0.00001
        profile.decode.c3Milliseconds = 12
        profile.decode.k2Milliseconds = 0.001
        profile.decode.c2Milliseconds = 0.2
        return profile
    }

    private func id(_ number: Int) -> SequenceID { SequenceID(rawValue: number) }

    @Test("Of one stream after another each token is a step, the first of them the prompt's")
    func single() {
        var steps = ObservedSteps(chunkTokens: 2048)
        var now = Instant.zero
        for query in 1...2 {
            now = now + .seconds(1)
            steps.sent(id(query), prompt: PromptCount(tokens: 90), at: now)
            now = now + .milliseconds(30)
            steps.came(id(query), tokens: 1, prompt: PromptCount(tokens: 100, cached: 40), at: now)
            now = now + .milliseconds(12)
            steps.came(id(query), tokens: 1, prompt: nil, at: now)
            steps.ended(id(query))
            #expect(
                steps.take() == [
                    .init(
                        workload: StepWorkload(kind: .mixed, prefillTokens: 60, prefillSquares: 8400),
                        duration: .milliseconds(30)
                    ),
                    .init(
                        workload: StepWorkload(kind: .decode, decodeSequences: 1, contextTokens: 101),
                        duration: .milliseconds(12)
                    ),
                ]
            )
        }
    }

    @Test(
        "Whatever arrives and leaves when, and however a server cuts prompts: what is told with a time is what it took"
    )
    func random() {
        var errors: [Double] = []
        for seed: UInt64 in 0..<300 {
            var random = SeededGenerator(seed: seed)
            let chunk = Int.random(in: 1...4, using: &random) * 128
            var server = ServerTwin(profile: profile, chunk: chunk)
            var steps = ObservedSteps(chunkTokens: chunk)
            var timed = 0
            var told = 0
            var number = 0
            // Some prompts are longer than a step takes, and mostly there is one on its way.
            for _ in 0..<200 {
                let before = server.now
                let arrivals = Int.random(in: 0..<16, using: &random) == 0 ? Int.random(in: 1...3, using: &random) : 0
                let new = (0..<arrivals).map { _ -> ServerTwin.Sequence in
                    number += 1
                    return .init(
                        id: id(number),
                        prompt: Int.random(in: 1...600, using: &random),
                        wanted: Int.random(in: 1...40, using: &random)
                    )
                }
                let wasIdle = server.running.isEmpty
                if wasIdle {
                    for sequence in new {
                        steps.sent(sequence.id, prompt: PromptCount(tokens: sequence.prompt), at: before)
                    }
                    server.running += new
                    guard !new.isEmpty else { continue }
                }
                let (served, _) = server.step()
                if !wasIdle {
                    // They come in the middle of the step and are part of the next.
                    let middle = Instant(nanoseconds: (before.nanoseconds + server.now.nanoseconds) / 2)
                    for sequence in new {
                        steps.sent(sequence.id, prompt: PromptCount(tokens: sequence.prompt), at: middle)
                    }
                    server.running += new
                }
                for id in served { steps.came(id, tokens: 1, prompt: nil, at: server.now) }
                for sequence in server.running where sequence.tokens == sequence.wanted { steps.ended(sequence.id) }
                server.running.removeAll { $0.tokens == $0.wanted }
                for step in steps.take() {
                    told += 1
                    guard step.duration > .zero else { continue }
                    timed += 1
                    let predicted = profile.duration(of: step.workload).milliseconds
                    let error = abs(step.duration.milliseconds - predicted) / predicted
                    errors.append(error)
                }
            }
            #expect(timed > told / 4, "seed \(seed): \(timed) of \(told) steps have a time")
        }
        // What is left are spans cut short at their longest, and prompts that shared steps nobody saw.
        #expect(errors.count { $0 > 0.02 } < errors.count / 500)
        #expect(errors.reduce(0, +) / Double(errors.count) < 0.001)
    }

    @Test("A prompt given up half-way spoils what it was computed in, and nothing after")
    func spoilt() {
        var steps = ObservedSteps(chunkTokens: 2048)
        steps.sent(id(1), prompt: PromptCount(tokens: 10), at: .zero)
        steps.came(id(1), tokens: 1, prompt: nil, at: Instant(nanoseconds: 10))
        steps.sent(id(2), prompt: PromptCount(tokens: 9000), at: Instant(nanoseconds: 15))
        steps.came(id(1), tokens: 1, prompt: nil, at: Instant(nanoseconds: 20))
        _ = steps.take()
        steps.ended(id(2))
        steps.came(id(1), tokens: 1, prompt: nil, at: Instant(nanoseconds: 90))
        steps.came(id(1), tokens: 1, prompt: nil, at: Instant(nanoseconds: 100))
        #expect(steps.take().map(\.duration) == [.zero, Interval(nanoseconds: 10)])
    }

    @Test("Where steps give several tokens, a token's share is told")
    func severalTokens() {
        var steps = ObservedSteps(chunkTokens: 2048)
        steps.sent(id(1), prompt: PromptCount(tokens: 10), at: .zero)
        steps.came(id(1), tokens: 1, prompt: nil, at: Instant(nanoseconds: 100))
        steps.came(id(1), tokens: 4, prompt: nil, at: Instant(nanoseconds: 200))
        let last = steps.take().last
        #expect(last?.duration == Interval(nanoseconds: 25))
        #expect(last?.workload.decodeSequences == 1)
    }

    @Test("A stream that stands still makes a step nobody can vouch for")
    func stalled() {
        var steps = ObservedSteps(chunkTokens: 2048)
        for number in 1...2 { steps.sent(id(number), prompt: PromptCount(tokens: 10), at: .zero) }
        for number in 1...2 { steps.came(id(number), tokens: 1, prompt: nil, at: Instant(nanoseconds: 10)) }
        _ = steps.take()
        for time: Int64 in [20, 30] { steps.came(id(1), tokens: 1, prompt: nil, at: Instant(nanoseconds: time)) }
        let told = steps.take()
        #expect(told.count == 1 && told.first?.duration == .zero)
        #expect(told.first?.workload.decodeSequences == 1)
    }
}
