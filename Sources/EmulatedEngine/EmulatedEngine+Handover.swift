package import EngineInterface
package import ServingModel

/// An emulated KV cache is a few numbers; moving it takes the time that moving a real one would.
///
/// That time passes between the two workers, as in the simulator: neither is kept from its steps.
extension EmulatedEngine: HandoverEngine {
    package var kvCacheForm: String { "emulated/1" }

    /// What is written stands for the bytes that would be.
    package var exportedBytesPerToken: Double { 0 }

    package func exportKVCache(
        of sequence: SequenceID,
        to write: (UnsafeRawBufferPointer) throws(Status) -> Void
    ) throws(Status) -> KVCacheExport {
        guard let state = sequences[sequence], let cache = state.movableCache else {
            throw Self.immovable(sequence, "has no KV cache to hand over")
        }
        // Typed errors don't pass through rethrowing closures.
        var failure: Status?
        withUnsafeBytes(of: cache) { bytes in
            do throws(Status) { try write(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        let time = transfer.time(
            tokens: state.cachedTokens,
            bytesPerToken: description.profile.kvCache.bytesPerToken
        )
        return KVCacheExport(remainingTime: .seconds(rounding: time.seconds * timeScale))
    }

    package func checkKVCache(_ bytes: UnsafeRawBufferPointer, for sequence: SequenceID) throws(Status) {
        guard let state = sequences[sequence], state.cachedTokens == 0,
            bytes.count == MemoryLayout<EmulatedSequence.Cache>.size,
            bytes.loadUnaligned(as: EmulatedSequence.Cache.self) == state.cacheWanted
        else { throw Self.immovable(sequence, "was given another's KV cache") }
    }

    package func importKVCache(_ bytes: UnsafeRawBufferPointer, into sequence: SequenceID) throws(Status) {
        try checkKVCache(bytes, for: sequence)
        sequences[sequence]?.takeCache()
    }

    private static func immovable(_ id: SequenceID, _ problem: String) -> Status {
        Status(.aborted, .handoverFailed, "sequence \(id.rawValue) \(problem)")
    }
}

extension EmulatedSequence {
    /// What stands for the keys and values of a sequence.
    struct Cache: Equatable, BitwiseCopyable {
        var seed: UInt64
        var promptTokens: Int64
        var emittedTokens: Int64
    }

    /// The cache of all tokens but the last.
    var cacheWanted: Cache {
        Cache(seed: text.seed, promptTokens: Int64(promptTokens), emittedTokens: Int64(emittedTokens))
    }

    /// nil unless all tokens but the last are computed.
    var movableCache: Cache? {
        emittedTokens > 0 && cachedTokens == promptTokens + emittedTokens - 1 ? cacheWanted : nil
    }

    mutating func takeCache() {
        cachedTokens = promptTokens + emittedTokens - 1
    }
}
