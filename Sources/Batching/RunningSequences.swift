/// The decoding sequences of a worker, oldest admission first, and their contexts.
///
/// They advance in lockstep: every decode gives each of them a token. So contexts are not counted one by one; a sequence
/// keeps the difference between its context and the number of decodes so far, which never changes, and a decode costs
/// the same however many sequences run. The sequences that need another block next are those whose difference falls
/// into one residue class modulo the block size; how many there are in each class is kept up to date.
struct RunningSequences: Hashable, Sendable {
    /// Oldest admission first.
    private(set) var keys: [SequenceKey] = []
    /// Prompt and output tokens of all sequences together.
    private(set) var contextTokens = 0
    /// What the sequences' contexts came to when each was added.
    private(set) var promptTokens = 0

    /// Context minus `decodes`, for each of `keys`.
    private var offsets: [Int] = []
    /// Context when it was added, for each of `keys`.
    private var prompts: [Int] = []
    private var decodes = 0
    /// Sequences by `offset mod blockTokens`.
    private var countsByResidue: [Int]
    /// The residue at which a context is a whole number of blocks now: `−decodes mod blockTokens`.
    private var boundaryResidue = 0

    init(blockTokens: Int) {
        countsByResidue = Array(repeating: 0, count: blockTokens)
    }

    var count: Int { keys.count }
    var isEmpty: Bool { keys.isEmpty }

    /// Sequences whose blocks are full, so that each needs one more for its next token.
    var sequencesAtBlockBoundary: Int { countsByResidue[boundaryResidue] }

    /// The context of the sequence at a position of `keys`.
    func contextTokens(at position: Int) -> Int {
        offsets[position] + decodes
    }

    /// Adds the youngest sequence.
    mutating func append(_ key: SequenceKey, contextTokens context: Int) {
        let offset = context - decodes
        keys.append(key)
        offsets.append(offset)
        prompts.append(context)
        promptTokens += context
        countsByResidue[residue(of: offset)] += 1
        contextTokens += context
    }

    /// Gives every sequence a token, in constant time.
    mutating func advance() {
        decodes += 1
        boundaryResidue = (boundaryResidue == 0 ? countsByResidue.count : boundaryResidue) - 1
        contextTokens += keys.count
    }

    /// Removes the youngest sequence and returns it with its context.
    mutating func removeLast() -> (key: SequenceKey, contextTokens: Int) {
        let offset = offsets.removeLast()
        forget(offset, prompts.removeLast())
        return (keys.removeLast(), offset + decodes)
    }

    /// Removes, in one pass and in order, every sequence that `isLeaving` names, and gives back its blocks.
    mutating func remove(givingBackTo blocks: inout BlockPool, where isLeaving: (SequenceKey) -> Bool) {
        var kept = 0
        for position in keys.indices {
            let key = keys[position]
            let offset = offsets[position]
            if isLeaving(key) {
                forget(offset, prompts[position])
                blocks.giveBack(blocks.blocks(holding: offset + decodes))
            } else {
                keys[kept] = key
                offsets[kept] = offset
                prompts[kept] = prompts[position]
                kept += 1
            }
        }
        keys.removeSubrange(kept...)
        offsets.removeSubrange(kept...)
        prompts.removeSubrange(kept...)
    }

    private mutating func forget(_ offset: Int, _ prompt: Int) {
        promptTokens -= prompt
        countsByResidue[residue(of: offset)] -= 1
        contextTokens -= offset + decodes
    }

    private func residue(of offset: Int) -> Int {
        let remainder = offset % countsByResidue.count
        return remainder < 0 ? remainder + countsByResidue.count : remainder
    }
}

extension RunningSequences {
    /// Checks the aggregates against a count of every sequence; traps if they differ.
    func checkInvariants() {
        precondition(keys.count == offsets.count && keys.count == prompts.count)
        precondition(promptTokens == prompts.reduce(0, +), "prompts are miscounted")
        var contexts = 0
        var counts = Array(repeating: 0, count: countsByResidue.count)
        for offset in offsets {
            contexts += offset + decodes
            counts[residue(of: offset)] += 1
        }
        precondition(contexts == contextTokens, "contexts add up to \(contexts), not \(contextTokens)")
        precondition(counts == countsByResidue, "block boundaries are miscounted")
        precondition((boundaryResidue + decodes) % countsByResidue.count == 0)
    }
}
