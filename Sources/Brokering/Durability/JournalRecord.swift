package import ServingModel

/// One thing that outlives the broker's process, written before the broker says or does what depends on it.
///
/// Records are appended in order and become durable in order: once one is, so are all before it. Each concerns one
/// query of a durable level; volatile queries leave no trace.
package enum JournalRecord: Hashable, Sendable {
    // What is large lies elsewhere: a record is passed on several times before it is written.
    /// The query is ours. Its client is told only when this is durable.
    indirect case accepted(AcceptedQuery)
    /// A worker takes an attempt. Nothing waits for it: it tells a later broker that the query may have run.
    case leased(QueryNumber, attempt: Int, Lease)
    /// The attempt before `attempt` came to nothing. The next one is not dispatched before this is durable, so that a
    /// broker that dies with its workers cannot try for ever.
    indirect case retried(QueryNumber, attempt: Int, FailedAttempt)
    /// A broker has found the query unfinished and starts `attempt`; as above, no dispatch before it is durable.
    case resumed(QueryNumber, attempt: Int, restarts: Int)
    /// Tokens of a `stream` query that a later broker can go on from; each begins where the last one ended.
    indirect case checkpoint(QueryNumber, OutputPart)
    /// The answer of a `stream` query starts over: its checkpoints are void.
    case reset(QueryNumber)
    /// The query's one end. Its client is told only when this is durable.
    indirect case ended(QueryNumber, QueryEnd)
    /// The client has its result and needs it no more.
    case acknowledged(QueryNumber)

    package var query: QueryNumber {
        switch self {
        case .accepted(let query): query.number
        case .leased(let number, _, _), .retried(let number, _, _), .resumed(let number, _, _): number
        case .checkpoint(let number, _), .reset(let number), .ended(let number, _), .acknowledged(let number): number
        }
    }
}

/// Consecutive tokens of an answer.
package struct OutputPart: Hashable, Sendable {
    package var firstIndex: Int
    package var count: Int
    /// One per token, or none if the engine doesn't tell them.
    package var ids: [Int32]
    /// UTF-8, whole characters.
    package var text: [UInt8]
    /// Where the text may be cut, in order; together they are all of the part.
    ///
    /// Empty for one piece.
    package var pieces: [Piece]

    /// Tokens that became known together, and the bytes of text that they made certain.
    package struct Piece: Hashable, Sendable {
        package var tokens: UInt32
        package var bytes: UInt32

        package init(tokens: UInt32, bytes: UInt32) {
            self.tokens = tokens
            self.bytes = bytes
        }
    }

    package init(firstIndex: Int, count: Int, ids: [Int32], text: [UInt8], pieces: [Piece] = []) {
        self.firstIndex = firstIndex
        self.count = count
        self.ids = ids
        self.text = text
        self.pieces = pieces
    }

    package static let none = OutputPart(firstIndex: 0, count: 0, ids: [], text: [])

    /// Checkpoints put together as far as each begins where the last one ended; nil if there is none.
    package init?(joining parts: [OutputPart]) {
        guard var joined = parts.first else { return nil }
        for part in parts.dropFirst() {
            guard part.firstIndex == joined.firstIndex + joined.count else { break }
            joined.append(part)
        }
        self = joined
    }

    /// Adds the part that follows this one, which begins a new piece; identifiers are kept only if both know theirs.
    mutating func append(_ next: OutputPart) {
        let isIdentified = ids.count == count && next.ids.count == next.count
        if pieces.isEmpty { pieces = wholePieces }
        pieces += next.pieces.isEmpty ? next.wholePieces : next.pieces
        count += next.count
        if isIdentified { ids += next.ids } else { ids = [] }
        text += next.text
    }

    /// All of it as one piece.
    private var wholePieces: [Piece] {
        count > 0 || !text.isEmpty ? [Piece(tokens: UInt32(count), bytes: UInt32(text.count))] : []
    }
}

/// An attempt that came to nothing: where, when and why.
package struct FailedAttempt: Hashable, Sendable {
    package var attempt: Int
    package var worker: String
    package var at: UnixTime
    package var code: StatusCode
    package var reason: Reason
    /// Never carries prompts or outputs.
    package var message: String
    /// Tokens that the answer had by then.
    package var outputTokens: Int
    /// Among how many queries this one may be why, itself included: 1 but for the loss of a worker with others, 0 if it
    /// can't be why its worker was lost.
    package var suspects: Int

    package init(
        attempt: Int,
        worker: String,
        at: UnixTime,
        code: StatusCode,
        reason: Reason,
        message: String,
        outputTokens: Int,
        suspects: Int = 1
    ) {
        self.attempt = attempt
        self.worker = worker
        self.at = at
        self.code = code
        self.reason = reason
        self.message = message
        self.outputTokens = outputTokens
        self.suspects = suspects
    }
}

/// From token `index` on, the answer is what `attempt` made of it; a reader that knows an earlier attempt's tokens
/// beyond it has to forget them.
package struct Rewrite: Hashable, Sendable {
    package var attempt: Int
    package var index: Int

    package init(attempt: Int, index: Int) {
        self.attempt = attempt
        self.index = index
    }
}
