package import EngineInterface
package import ServingModel
internal import ZeroMQ

/// An engine on a thread of its own: loading, steps and all else that takes long happen there and nowhere else.
package actor EngineRunner {
    private nonisolated let loop: PollLoop
    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

    private let makeEngine: @Sendable () throws -> any Engine
    private let exchange: KVExchange?
    private var engine: (any Engine)?
    /// KV caches that were taken out of the exchange and that no step has needed yet.
    private var caches: [SequenceID: [UInt8]] = [:]

    /// - Parameters:
    ///   - exchange: where KV caches are left and taken, if the engine can do that.
    ///   - busyPoll: for how long its thread looks for a next step before it sleeps.
    ///   - makeEngine: called once, on the engine's thread.
    package init(
        name: String,
        exchange: KVExchange? = nil,
        busyPoll: Interval = .zero,
        makeEngine: @escaping @Sendable () throws -> any Engine
    ) {
        loop = PollLoop(name: name, on: LoopThread(name: name, busyPoll: busyPoll))
        self.exchange = exchange
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

    /// What others must have in common with the loaded engine to take over its KV caches, and how large these are; nil if
    /// none can.
    package var handover: (exchange: String, bytesPerToken: Double)? {
        guard let exchange, let engine = engine as? any HandoverEngine else { return nil }
        return (exchange.name(form: engine.kvCacheForm), engine.exportedBytesPerToken)
    }

    /// - Precondition: the engine is loaded.
    package func run(_ turn: EngineTurn) -> EngineTurnResult {
        guard let engine else { preconditionFailure("the engine is loaded before its first turn") }
        var result = EngineTurnResult()
        for sequence in turn.releases { release(sequence, from: engine) }
        for sequence in turn.exports {
            result.exports.append(.init(sequence: sequence, cache: export(sequence, from: engine)))
            release(sequence, from: engine)
        }
        for request in turn.admissions {
            result.admissions.append(admit(request, taking: turn.imports[request.id], to: engine))
        }
        if let step = turn.step {
            let start = PollLoop.now()
            do throws(Status) {
                try importCaches(for: step, into: engine)
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
        caches.removeAll()
    }

    package nonisolated func stop() async {
        await loop.stop()
    }
}

extension EngineRunner {
    private func release(_ sequence: SequenceID, from engine: any Engine) {
        caches[sequence] = nil
        engine.release(sequence)
    }

    private func admit(
        _ request: SequenceRequest,
        taking cache: String?,
        to engine: any Engine
    ) -> EngineTurnResult.Admission {
        do throws(Status) {
            let tokens = try engine.admit(request)
            var admission = EngineTurnResult.Admission(sequence: request.id, promptTokens: .success(tokens))
            if let cache {
                do throws(Status) {
                    caches[request.id] = try take(cache, for: request.id, engine)
                } catch {
                    engine.release(request.id)
                    throw error
                }
            } else if engine.description.keepsPrefixes {
                admission.blocks =
                    engine.promptBlocks(of: request.id) ?? PromptBlocks(of: request.input, promptTokens: tokens)
            }
            return admission
        } catch {
            return .init(sequence: request.id, promptTokens: .failure(error))
        }
    }

    private func take(_ name: String, for sequence: SequenceID, _ engine: any Engine) throws(Status) -> [UInt8] {
        guard let exchange, let engine = engine as? any HandoverEngine else {
            throw Status(.aborted, .handoverFailed, "this worker takes no KV caches over")
        }
        let bytes = try exchange.take(name, form: engine.kvCacheForm)
        try Self.with(bytes) { (bytes) throws(Status) in try engine.checkKVCache(bytes, for: sequence) }
        return bytes
    }

    /// Moves the caches of sequences that run from now on into the engine; of those preempted at once nothing is left.
    private func importCaches(for step: EngineStep, into engine: any Engine) throws(Status) {
        guard !step.imported.isEmpty, let engine = engine as? any HandoverEngine else { return }
        for sequence in step.imported {
            guard let bytes = caches.removeValue(forKey: sequence), !step.preempted.contains(sequence) else { continue }
            try Self.with(bytes) { (bytes) throws(Status) in try engine.importKVCache(bytes, into: sequence) }
        }
    }

    private func export(
        _ sequence: SequenceID,
        from engine: any Engine
    ) -> Result<(name: String, bytes: Int, ready: Instant), Status> {
        do throws(Status) {
            guard let exchange, let engine = engine as? any HandoverEngine else {
                throw Status(.aborted, .handoverFailed, "this worker leaves no KV caches")
            }
            let left = try exchange.leave(form: engine.kvCacheForm) { (write) throws(Status) in
                try engine.exportKVCache(of: sequence, to: write)
            }
            return .success((left.name, left.bytes, PollLoop.now() + left.result.remainingTime))
        } catch {
            return .failure(error)
        }
    }

    /// Typed errors don't pass through rethrowing closures.
    private static func with(
        _ bytes: [UInt8],
        _ body: (UnsafeRawBufferPointer) throws(Status) -> Void
    ) throws(Status) {
        var failure: Status?
        bytes.withUnsafeBytes { bytes in
            do throws(Status) { try body(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
