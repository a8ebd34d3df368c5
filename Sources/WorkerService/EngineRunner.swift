package import EngineInterface
internal import ServingModel
internal import ZeroMQ

/// An engine on a thread of its own: loading, steps and all else that takes long happen there and nowhere else.
package actor EngineRunner {
    private nonisolated let loop: PollLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let makeEngine: @Sendable () throws -> any Engine
    private var engine: (any Engine)?

    /// - Parameter makeEngine: called once, on the engine's thread.
    package init(name: String, makeEngine: @escaping @Sendable () throws -> any Engine) {
        loop = PollLoop(name: name)
        self.makeEngine = makeEngine
    }

    package nonisolated func start() {
        loop.start()
    }

    /// Makes the engine.
    package func load() throws -> EngineDescription {
        let engine = try makeEngine()
        self.engine = engine
        return engine.description
    }

    /// - Precondition: the engine is loaded.
    package func run(_ turn: EngineTurn) -> EngineTurnResult {
        guard let engine else { preconditionFailure("the engine is loaded before its first turn") }
        var result = EngineTurnResult()
        for sequence in turn.releases { engine.release(sequence) }
        for request in turn.admissions {
            do throws(Status) {
                let tokens = try engine.admit(request)
                var admission = EngineTurnResult.Admission(sequence: request.id, promptTokens: .success(tokens))
                if engine.description.keepsPrefixes {
                    admission.blocks =
                        engine.promptBlocks(of: request.id) ?? PromptBlocks(of: request.input, promptTokens: tokens)
                }
                result.admissions.append(admission)
            } catch {
                result.admissions.append(.init(sequence: request.id, promptTokens: .failure(error)))
            }
        }
        if let step = turn.step {
            let start = PollLoop.now()
            do throws(Status) {
                result.outputs = .success(try engine.step(step))
            } catch {
                result.outputs = .failure(error)
            }
            result.duration = PollLoop.now() - start
        }
        return result
    }

    /// Frees the engine on its thread.
    package func unload() {
        engine = nil
    }

    package nonisolated func stop() async {
        await loop.stop()
    }
}
