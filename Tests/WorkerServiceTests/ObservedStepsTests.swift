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
    /// - Returns: who got tokens, in order.
    mutating func step() -> [SequenceID] {
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
        return served
    }
}

@Suite("Steps inferred from streams")
struct ObservedStepsTests {
    private var profile: LatencyProfile {
        var profile = LatencyProfile(model: "m", device: "d")
        profile.prefill.c1Milliseconds = 12
        profile.prefill.k1Milliseconds = 0.1
        profile.prefill.k1qMilliseconds = 0.00001
        profile.decode.c3Milliseconds = 12
        profile.decode.k2Milliseconds = 0.001
        profile.decode.c2Milliseconds = 0.2
        return profile
    }

    private func id(_ number: Int) -> SequenceID { SequenceID(rawValue: number) }

    @Test("A prompt on an idle engine has a time of its own; of what follows the mean is told")
    func single() {
        var steps = ObservedSteps(chunkTokens: 2048)
        var now = Instant.zero
        for query in 1...2 {
            now = now + .seconds(1)
            steps.sent(id(query), prompt: PromptCount(tokens: 90), at: now)
            now = now + .milliseconds(30)
            steps.came(id(query), tokens: 1, prompt: PromptCount(tokens: 100, cached: 40), at: now)
            #expect(
                steps.take() == [
                    .init(
                        workload: StepWorkload(kind: .prefill, prefillTokens: 60, prefillSquares: 8400),
                        duration: .milliseconds(30)
                    )
                ]
            )
            for _ in 1...11 {
                now = now + .milliseconds(12)
                steps.came(id(query), tokens: 1, prompt: nil, at: now)
            }
            let timed = steps.take().filter { $0.duration > .zero }
            #expect(timed.map(\.duration) == [.milliseconds(12)])
            #expect(timed.first?.workload == StepWorkload(kind: .decode, decodeSequences: 1, contextTokens: 105))
            steps.ended(id(query))
            // Two more had come since, too few for a mean.
            #expect(steps.take().map(\.duration) == [.milliseconds(12)])
        }
    }

    private enum Event {
        case sent(SequenceID, prompt: Int)
        case came(SequenceID, tokens: Int)
        case ended(SequenceID)
    }

    /// What is seen from outside of a server that is given random queries, in order.
    ///
    /// - Parameter blur: by how much pieces may be late; if not zero, every tenth is also told with the next.
    private func story(_ seed: UInt64, chunk: Int, blur: Interval) -> [(time: Instant, event: Event)] {
        var random = SeededGenerator(seed: seed)
        var server = ServerTwin(profile: profile, chunk: chunk)
        var events: [(time: Instant, event: Event)] = []
        var lastPiece: [SequenceID: (time: Instant, held: Int)] = [:]
        var number = 0
        for _ in 0..<200 {
            let before = server.now
            let arrivals = Int.random(in: 0..<16, using: &random) == 0 ? Int.random(in: 1...3, using: &random) : 0
            let new = (0..<arrivals).map { _ -> ServerTwin.Sequence in
                number += 1
                let prompt = Int.random(in: 1...600, using: &random)
                return .init(id: id(number), prompt: prompt, wanted: Int.random(in: 1...40, using: &random))
            }
            let wasIdle = server.running.isEmpty
            if wasIdle {
                guard !new.isEmpty else { continue }
                server.running += new
            }
            let served = server.step()
            // What comes in the middle of a step is part of the next.
            let middle = Instant(nanoseconds: (before.nanoseconds + server.now.nanoseconds) / 2)
            for sequence in new {
                events.append((wasIdle ? before : middle, .sent(sequence.id, prompt: sequence.prompt)))
            }
            if !wasIdle { server.running += new }
            for id in served {
                let isLast = server.running.contains { $0.id == id && $0.tokens == $0.wanted }
                let last = lastPiece[id] ?? (.zero, 0)
                if blur > .zero, !isLast, Int.random(in: 0..<10, using: &random) == 0 {
                    lastPiece[id] = (last.time, last.held + 1)
                    continue
                }
                let delay =
                    blur > .zero ? Interval(nanoseconds: .random(in: 0...blur.nanoseconds, using: &random)) : .zero
                let time = max(last.time, server.now + delay)
                events.append((time, .came(id, tokens: last.held + 1)))
                lastPiece[id] = (time, 0)
                if isLast { events.append((time, .ended(id))) }
            }
            server.running.removeAll { $0.tokens == $0.wanted }
        }
        // Stable: what happens at once stays in order.
        return events.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }

    /// Relative errors of what is told with a time against the profile, and the share of steps that have one.
    private func errors(_ seed: UInt64, blur: Interval = .zero) -> (errors: [Double], told: Int) {
        let chunk = 128 * Int(seed % 4 + 1)
        var steps = ObservedSteps(chunkTokens: chunk)
        var errors: [Double] = []
        var told = 0
        for (time, event) in story(seed, chunk: chunk, blur: blur) {
            switch event {
            case .sent(let id, let prompt): steps.sent(id, prompt: PromptCount(tokens: prompt), at: time)
            case .came(let id, let tokens): steps.came(id, tokens: tokens, prompt: nil, at: time)
            case .ended(let id): steps.ended(id)
            }
            for step in steps.take() {
                told += 1
                guard step.duration > .zero else { continue }
                let predicted = profile.duration(of: step.workload).milliseconds
                errors.append((step.duration.milliseconds - predicted) / predicted)
            }
        }
        return (errors, told)
    }

    @Test(
        "Whatever arrives and leaves when, and however a server cuts prompts: what is told with a time is what it took"
    )
    func random() {
        var all: [Double] = []
        for seed: UInt64 in 0..<300 {
            let (errors, told) = errors(seed)
            #expect(errors.count > told / 30, "seed \(seed): \(errors.count) of \(told) steps have a time")
            all += errors
        }
        // What is left are spans cut short at their longest, and prompts that shared steps nobody saw.
        #expect(all.count { abs($0) > 0.05 } < all.count / 100)
        #expect(all.reduce(0) { $0 + abs($1) } / Double(all.count) < 0.01)
    }

    @Test("Pieces that are late by up to a step, and tokens told together, blur single steps but not their mean")
    func blurred() {
        var all: [Double] = []
        for seed: UInt64 in 0..<300 {
            let (errors, told) = errors(seed, blur: .milliseconds(15))
            #expect(errors.count > told / 60, "seed \(seed): \(errors.count) of \(told) steps have a time")
            all += errors
        }
        let mean = all.reduce(0, +) / Double(all.count)
        let deviation = (all.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(all.count)).squareRoot()
        #expect(abs(mean) < 0.05)
        #expect(deviation < 0.15)
    }

    @Test("A prompt given up half-way spoils what it was computed in, and nothing after")
    func spoilt() {
        var steps = ObservedSteps(chunkTokens: 2048)
        var now = Instant.zero
        func come() {
            now = now + .milliseconds(60)
            steps.came(id(1), tokens: 1, prompt: nil, at: now)
        }
        steps.sent(id(1), prompt: PromptCount(tokens: 10), at: now)
        come()
        come()
        steps.sent(id(2), prompt: PromptCount(tokens: 9000), at: now)
        come()
        come()
        _ = steps.take()
        steps.ended(id(2))
        for _ in 1...6 { come() }
        let known = Interval.milliseconds(60)
        #expect(steps.take().map(\.duration) == [.zero, .zero, known, .zero, known, .zero, known])
    }

    @Test("Where steps give several tokens, a token's share is told")
    func severalTokens() {
        var steps = ObservedSteps(chunkTokens: 2048)
        steps.sent(id(1), prompt: PromptCount(tokens: 10), at: .zero)
        steps.came(id(1), tokens: 1, prompt: nil, at: .zero + .milliseconds(100))
        steps.came(id(1), tokens: 4, prompt: nil, at: .zero + .milliseconds(200))
        let last = steps.take().last
        #expect(last?.duration == .milliseconds(25))
        #expect(last?.workload.decodeSequences == 1)
    }

    @Test("A stream that stands still does not run; of the others the mean is told when all is plain again")
    func stalled() {
        var steps = ObservedSteps(chunkTokens: 2048)
        for number in 1...2 { steps.sent(id(number), prompt: PromptCount(tokens: 10), at: .zero) }
        for number in 1...2 { steps.came(id(number), tokens: 1, prompt: nil, at: .zero + .milliseconds(10)) }
        _ = steps.take()
        for time: Int64 in 1...20 {
            steps.came(id(1), tokens: 1, prompt: nil, at: .zero + .milliseconds(10 + 10 * time))
        }
        let told = steps.take()
        #expect(told.count == 19)
        #expect(told.allSatisfy { $0.duration == .zero && $0.workload.decodeSequences == 1 })
        steps.ended(id(2))
        let mean = steps.take()
        #expect(mean.map(\.duration) == [.milliseconds(10)])
        #expect(mean.first?.workload == StepWorkload(kind: .decode, decodeSequences: 1, contextTokens: 21))
    }
}
