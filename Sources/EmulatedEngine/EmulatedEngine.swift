package import EngineInterface
package import ServingModel

/// An engine without a model: it takes the time that a profile predicts and answers with placeholder text.
///
/// It is for trying out a service, its scheduling and its failures on a machine without GPUs, and says that it is
/// emulated wherever its description shows. Each step blocks the calling thread until `duration · timeScale · noise`
/// after its start. Answers are as long as the request's length hint says, else as `maxTokens`. Prompts are not
/// tokenised but estimated. Stop strings are ignored: the words mean nothing.
///
/// Like a real engine it relies on the worker's bookkeeping, and fails the step if a chunk or a decode does not follow on
/// what its KV cache would hold.
package final class EmulatedEngine: Engine {
    /// How an emulated engine differs from its profile.
    package struct Configuration: Sendable {
        /// Longest prompt and output together, in tokens; nil is what the KV cache holds.
        package var contextLength: Int?
        /// Factor on the time of every step: 0.1 runs ten times as fast as the profile.
        package var timeScale = 1.0
        /// Standard deviation of a random factor on the time of every step; 0 for none.
        package var relativeNoise = 0.0
        /// Seed of that factor.
        package var noiseSeed: UInt64 = 0
        /// Whether it goes on with answers that another worker began; engines that can't start them over.
        package var resumesPrefix = true
        /// Whether beginnings of prompts stay in its KV cache.
        package var keepsPrefixes = false
        /// How KV caches move to other workers.
        package var transfer = KVTransfer()

        package init() {}
    }

    package let description: EngineDescription
    let timeScale: Double
    let transfer: KVTransfer
    private let timer: any StepTimer
    private var noise: StepNoise
    var sequences: [SequenceID: EmulatedSequence] = [:]

    /// An engine with nothing in it.
    ///
    /// - Precondition: the profile is valid; scale and noise are finite and not negative.
    package init(
        profile: LatencyProfile,
        configuration: Configuration = Configuration(),
        timer: any StepTimer = MonotonicTimer()
    ) {
        precondition(configuration.timeScale.isFinite && configuration.timeScale >= 0, "a time scale of at least 0")
        precondition(configuration.relativeNoise.isFinite && configuration.relativeNoise >= 0, "a noise of at least 0")
        let capacity = profile.kvCache.capacityTokens
        description = EngineDescription(
            model: profile.model,
            kind: "emulated",
            contextLength: min(configuration.contextLength ?? capacity, capacity),
            resumesPrefix: configuration.resumesPrefix,
            keepsPrefixes: configuration.keepsPrefixes,
            profile: profile
        )
        timeScale = configuration.timeScale
        transfer = configuration.transfer
        noise = StepNoise(relativeDeviation: configuration.relativeNoise, seed: configuration.noiseSeed)
        self.timer = timer
    }

    package func admit(_ request: SequenceRequest) throws(Status) -> Int {
        let promptTokens = try checkedPromptTokens(of: request)
        let room = description.contextLength - promptTokens
        sequences[request.id] = EmulatedSequence(request, promptTokens: promptTokens, room: room)
        return promptTokens
    }

    package func step(_ step: EngineStep) throws(Status) -> [SequenceOutput] {
        let deadline = timer.now() + duration(of: step.workload)
        let outputs = try compute(step)
        timer.wait(until: deadline)
        return outputs
    }

    package func release(_ sequence: SequenceID) {
        sequences[sequence] = nil
    }

    /// Sequences admitted and not released.
    package var sequenceCount: Int { sequences.count }

    private func duration(of workload: StepWorkload) -> Interval {
        let seconds = description.profile.duration(of: workload).seconds * timeScale * noise.nextFactor()
        return Interval.seconds(rounding: min(seconds, Self.longestStepSeconds))
    }

    /// A day; a profile or a scale that asks for more is a mistake.
    private static let longestStepSeconds = 86_400.0
}

extension EmulatedEngine {
    private func checkedPromptTokens(of request: SequenceRequest) throws(Status) -> Int {
        let promptTokens = request.input.estimatedTokens
        guard promptTokens > 0 else {
            throw Status(.invalidArgument, .emptyPrompt, "the prompt is empty")
        }
        if case .tokens(let tokens) = request.input, tokens.contains(where: { $0 < 0 }) {
            throw Status(.invalidArgument, .malformed, "a token identifier is negative")
        }
        guard request.maxTokens > request.resumedTokens.count else {
            throw Status(
                .invalidArgument,
                .maxTokensOutOfRange,
                "max_tokens is \(request.maxTokens) where \(request.resumedTokens.count) tokens are already there"
            )
        }
        // Room for one more token, or there is nothing to answer with.
        guard promptTokens + request.resumedTokens.count < description.contextLength else {
            throw Status(
                .invalidArgument,
                .promptTooLong,
                "the prompt is about \(promptTokens) tokens; the context holds \(description.contextLength)"
            )
        }
        return promptTokens
    }

    private func compute(_ step: EngineStep) throws(Status) -> [SequenceOutput] {
        for id in step.preempted { sequences[id]?.preempt() }
        var outputs: [SequenceOutput] = []
        outputs.reserveCapacity(step.decodes.count + step.chunks.count)
        for id in step.decodes {
            guard sequences[id]?.decode() == true else { throw Self.inconsistent("a decode", id) }
            try outputs.append(emit(id))
        }
        for chunk in step.chunks {
            guard sequences[chunk.sequence]?.prefill(chunk, keepsPrefixes: description.keepsPrefixes) == true
            else {
                throw Self.inconsistent("a chunk", chunk.sequence)
            }
            if chunk.completesPrompt { try outputs.append(emit(chunk.sequence)) }
        }
        return outputs
    }

    private func emit(_ id: SequenceID) throws(Status) -> SequenceOutput {
        guard let output = sequences[id]?.emit(as: id) else { throw Self.inconsistent("a token", id) }
        return output
    }

    private static func inconsistent(_ what: String, _ id: SequenceID) -> Status {
        Status(.internalError, .engineFailed, "\(what) of sequence \(id.rawValue) does not follow on its KV cache")
    }
}
