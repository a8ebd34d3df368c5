import EngineInterface
import ServingModel
import WorkerService

/// An engine whose tokens follow from a sequence's seed and their index, so that everybody can tell what must come.
///
/// It checks the protocol that engines are promised.
final class ScriptedEngine: Engine {
    struct Held {
        var seed: UInt64
        var generated: Int
    }

    let description: EngineDescription
    private(set) var held: [SequenceID: Held] = [:]
    private(set) var violations: [String] = []
    var failsNextStep: Status?
    var answersForOthers = false
    /// How long KV caches are on their way, and whether none can be left.
    var transferTime = Interval.zero
    var failsExports = false

    init(kvTokens: Int = 4096, maximumSequences: Int = 4, chunkTokens: Int = 8) {
        var profile = LatencyProfile(model: "m", device: "test")
        profile.decode.c3Milliseconds = 1
        profile.kvCache.capacityTokens = kvTokens
        profile.kvCache.blockTokens = 4
        profile.limits.maximumSequences = maximumSequences
        profile.limits.chunkTokens = chunkTokens
        profile.limits.maximumBatchedTokens = max(chunkTokens, 32)
        description = EngineDescription(
            model: "m",
            kind: "scripted",
            contextLength: 1024,
            resumesPrefix: true,
            profile: profile
        )
    }

    static func token(_ seed: UInt64, _ index: Int) -> Int32 { Int32(truncatingIfNeeded: seed) &* 1000 &+ Int32(index) }

    func admit(_ request: SequenceRequest) throws(Status) -> Int {
        guard case .tokens(let ids) = request.input, !ids.isEmpty else {
            throw Status(.invalidArgument, .emptyPrompt, "no tokens")
        }
        if held[request.id] != nil { violations.append("admitted twice") }
        held[request.id] = Held(seed: request.defaultSeed, generated: request.resumedTokens.count)
        return ids.count
    }

    func step(_ step: EngineStep) throws(Status) -> [SequenceOutput] {
        for sequence in step.preempted where held[sequence] == nil { violations.append("preempted a stranger") }
        for chunk in step.chunks where held[chunk.sequence] == nil { violations.append("chunk of a stranger") }
        if let failure = failsNextStep {
            failsNextStep = nil
            throw failure
        }
        var outputs: [SequenceOutput] = []
        for sequence in step.decodes + step.chunks.filter(\.completesPrompt).map(\.sequence) {
            guard let state = held[sequence] else {
                violations.append("a step for a stranger")
                continue
            }
            let token = Self.token(state.seed, state.generated)
            held[sequence]?.generated += 1
            outputs.append(SequenceOutput(sequence: sequence, token: token, text: "\(token) "))
        }
        if answersForOthers {
            answersForOthers = false
            outputs.reverse()
            outputs.append(SequenceOutput(sequence: SequenceID(rawValue: 99_999), token: 1, text: ""))
        }
        return outputs
    }

    func release(_ sequence: SequenceID) {
        if held.removeValue(forKey: sequence) == nil { violations.append("released a stranger") }
    }

    /// A cache is named after the sequence's seed.
    private func export(_ sequence: SequenceID) -> Result<(name: String, bytes: Int, ready: Instant), Status> {
        guard let state = held[sequence], !failsExports else {
            return .failure(Status(.aborted, .handoverFailed, "no room"))
        }
        if state.generated == 0 { violations.append("exported without a token") }
        return .success(("cache-\(state.seed)", 7, .zero + transferTime))
    }

    /// What an engine's thread does with a turn.
    func run(_ turn: EngineTurn) -> EngineTurnResult {
        var result = EngineTurnResult()
        for sequence in turn.releases { release(sequence) }
        for sequence in turn.exports {
            result.exports.append(.init(sequence: sequence, cache: export(sequence)))
            release(sequence)
        }
        for request in turn.admissions {
            if turn.imports[request.id] == "gone" {
                let status = Status(.aborted, .handoverFailed, "gone")
                result.admissions.append(.init(sequence: request.id, promptTokens: .failure(status)))
                continue
            }
            do throws(Status) {
                result.admissions.append(.init(sequence: request.id, promptTokens: .success(try admit(request))))
            } catch {
                result.admissions.append(.init(sequence: request.id, promptTokens: .failure(error)))
            }
        }
        if let step = turn.step {
            do throws(Status) {
                result.outputs = .success(try self.step(step))
            } catch {
                result.outputs = .failure(error)
            }
        }
        return result
    }
}
