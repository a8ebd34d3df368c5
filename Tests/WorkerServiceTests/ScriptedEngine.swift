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

    /// What an engine's thread does with a turn.
    func run(_ turn: EngineTurn) -> EngineTurnResult {
        var result = EngineTurnResult()
        for sequence in turn.releases { release(sequence) }
        for request in turn.admissions {
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
