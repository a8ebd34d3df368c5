public import ServingModel

/// An engine whose sequences can move: it writes their KV cache out, and takes in what another engine has written.
///
/// One worker computes a prompt and another goes on with it (split-phase serving). The worker carries the bytes; what they
/// mean is the engine's business. Life of a sequence that moves:
///
/// 1. On the first worker a step completes its prompt, so that it has a token. Then `exportKVCache`, then `release`.
/// 2. On the second `admit` brings its prompt and its tokens so far, as of any sequence that began elsewhere; then
///    `checkKVCache`, and before a step that lists it among its decodes `importKVCache`.
///
/// If a step preempts it later, it is prefilled again like any other.
public protocol HandoverEngine: Engine {
    /// What a KV cache has to have in common with this engine, in a few words without spaces: the model, its weights, the
    /// form of the bytes.
    ///
    /// Engines that say the same here can take in each other's. At most 100 bytes, constant over the engine's life.
    var kvCacheForm: String { get }

    /// Bytes that a token takes when it is written out, about: the worker leaves no more of them lying than it may.
    var exportedBytesPerToken: Double { get }

    /// Writes out the KV cache of a sequence that has a token, in any number of pieces.
    ///
    /// - Throws: a `Status`, also whatever `write` throws; the query is then tried again as a whole.
    func exportKVCache(
        of sequence: SequenceID,
        to write: (UnsafeRawBufferPointer) throws(Status) -> Void
    ) throws(Status) -> KVCacheExport

    /// Checks whether these bytes are the KV cache of a sequence just admitted: of all its tokens but the last.
    ///
    /// - Throws: a `Status` if not.
    func checkKVCache(_ bytes: UnsafeRawBufferPointer, for sequence: SequenceID) throws(Status)

    /// Takes in bytes that were checked; the next step lists the sequence among its decodes.
    ///
    /// - Throws: a `Status`; the sequence is then tried elsewhere.
    func importKVCache(_ bytes: UnsafeRawBufferPointer, into sequence: SequenceID) throws(Status)
}

/// A KV cache that was written out.
public struct KVCacheExport: Hashable, Sendable {
    /// How long it is on its way still; only an emulated engine has to say so.
    public var remainingTime: Interval

    public init(remainingTime: Interval = .zero) {
        self.remainingTime = remainingTime
    }
}
