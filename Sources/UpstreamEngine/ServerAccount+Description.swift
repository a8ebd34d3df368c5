internal import EngineInterface
internal import ServingModel

extension ServerAccount {
    private static let assumedContextLength = 32_768

    /// What to tell the broker: flags before the server's word, that before the profile, that before a guess.
    func description(_ configuration: UpstreamConfiguration) -> EngineDescription {
        let context =
            configuration.contextLength ?? contextLength ?? configuration.profile?.kvCache.capacityTokens
            ?? Self.assumedContextLength
        var profile = configuration.profile ?? Self.guess
        let sequences =
            configuration.maximumSequences ?? maximumSequences ?? configuration.profile?.limits.maximumSequences
            ?? kind.usualSequences
        // Without a word about memory it is taken for large enough: the server waits or refuses by itself.
        let capacity =
            configuration.kvCapacityTokens ?? kvCapacityTokens ?? configuration.profile?.kvCache.capacityTokens
            ?? min(context * min(sequences, 8), Int(Int32.max))
        profile.model = configuration.servedName ?? model
        profile.limits.maximumSequences = sequences
        profile.kvCache.blockTokens = min(kvBlockTokens ?? profile.kvCache.blockTokens, capacity)
        profile.kvCache.capacityTokens = capacity
        return EngineDescription(
            model: profile.model,
            kind: "upstream",
            contextLength: context,
            // Text is known here and no token identifiers, and both would have to go on from.
            resumesPrefix: false,
            keepsPrefixes: configuration.keepsPrefixes ?? kind.keepsPrefixes,
            profile: profile
        )
    }

    /// What was not said and had to be assumed, in words for the log.
    func assumptions(_ configuration: UpstreamConfiguration) -> [String] {
        var words: [String] = []
        if configuration.contextLength ?? contextLength ?? configuration.profile?.kvCache.capacityTokens == nil {
            words.append("a context of \(Self.assumedContextLength) tokens (--context-length)")
        }
        if configuration.maximumSequences ?? maximumSequences ?? configuration.profile?.limits.maximumSequences == nil {
            words.append("\(kind.usualSequences) queries at once (--max-sequences)")
        }
        return words
    }

    /// A middling GPU with a middling model; corrected from the first answers on.
    private static var guess: LatencyProfile {
        var profile = LatencyProfile(model: "", device: "unknown")
        profile.prefill.c1Milliseconds = 15
        profile.prefill.k1Milliseconds = 0.1
        profile.decode.c3Milliseconds = 15
        profile.decode.k2Milliseconds = 0.0001
        profile.decode.c2Milliseconds = 0.1
        return profile
    }
}
