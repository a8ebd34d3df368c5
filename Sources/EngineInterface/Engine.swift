public import ServingModel

/// A model that a worker serves: the one protocol to implement for an engine of your own.
///
/// The worker owns the conversation with the broker and decides what each step contains; the engine computes it. Life of
/// a sequence:
///
/// 1. `admit` tokenises the prompt and says how long it is; no KV memory is used yet.
/// 2. Steps prefill it in one or more chunks; the chunk that completes the prompt also yields a token.
/// 3. Steps decode it, a token each. A step may first list it as preempted: drop its KV, keep its tokens; it will be
///    prefilled again, prompt and output so far together.
/// 4. `release` ends it, whatever its state: finished, cancelled by the client, past its deadline, failed. Nothing about
///    it is mentioned again.
///
/// All calls come from one thread that the worker owns, never two at once; `step` may take as long as the work takes, and
/// what was cancelled meanwhile is released before the next.
/// The engine never sees more resident tokens than its `EngineCapacity.kvTokens`, nor more sequences than
/// `maximumSequences`. How long steps take is measured around them and reported: there is nothing to calibrate.
///
/// An engine that does not come back from a step is expelled by the broker, and one whose process dies is noticed; either
/// way its queries run elsewhere.
public protocol Engine: AnyObject {
    /// What this engine is and can hold; constant over its life.
    var description: EngineDescription { get }

    /// Takes in a sequence and returns the number of tokens in its prompt, resumed output not counted.
    ///
    /// - Throws: a `Status` with `.invalidArgument` for what the request got wrong (an empty prompt, a prompt longer
    ///   than the context, token identifiers beyond the vocabulary); the query ends with it and is not retried.
    func admit(_ request: SequenceRequest) throws(Status) -> Int

    /// Computes one step and returns one output for each sequence that got a token: first the decoding sequences in
    /// the order given, then the chunks that completed a prompt.
    ///
    /// - Throws: a `Status` if the step as a whole failed; every sequence in it is then retried elsewhere.
    func step(_ step: EngineStep) throws(Status) -> [SequenceOutput]

    /// What the prompt of a sequence just admitted begins with, if the engine keeps prefixes and knows it better than by
    /// its text; nil otherwise.
    ///
    /// Hashes are of whole blocks within the prompt but its last token, each of everything up to the block's end.
    func promptBlocks(of sequence: SequenceID) -> PromptBlocks?

    /// Forgets a sequence and frees its memory. Called once for every admitted sequence.
    func release(_ sequence: SequenceID)
}

extension Engine {
    public func promptBlocks(of sequence: SequenceID) -> PromptBlocks? { nil }
}

/// A sequence within one engine, numbered by the worker from 1, never reused.
public struct SequenceID: SerialNumber {
    public var rawValue: Int

    public init(rawValue: Int) {
        self.rawValue = rawValue
    }
}
