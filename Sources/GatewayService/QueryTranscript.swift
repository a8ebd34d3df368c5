internal import AladdinClient
internal import ServingModel

/// What is known of a query from its events so far: a pure machine, fed one event at a time.
struct QueryTranscript: Hashable, Sendable {
    /// What an event changed.
    enum Change: Hashable, Sendable {
        case nothing
        /// A worker has the query.
        case started
        /// So many new tokens, and the text that they made certain.
        case tokens(Int, text: String)
        /// Tokens that had been handed out are void.
        case tookBack
        case finished
    }

    struct Ending: Hashable, Sendable {
        var reason: FinishReason
        var inputTokens: Int
        var outputTokens: Int
    }

    private struct Segment: Hashable, Sendable {
        var firstIndex: Int
        var textBytes: Int
    }

    private(set) var id = ""
    /// The worker of the latest attempt.
    private(set) var worker: String?
    private(set) var predictedTimeToFirstToken: Interval?
    private(set) var ending: Ending?
    /// Index of the next token.
    private(set) var nextIndex = 0
    private let keepsText: Bool
    private var bytes: [UInt8] = []
    private var segments: [Segment] = []

    /// - Parameter keepsText: whether `text` is wanted in the end; a stream hands it out at once instead.
    init(keepsText: Bool) {
        self.keepsText = keepsText
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Takes the next event.
    ///
    /// - Throws: `.dataLoss` if tokens are missing or were taken back within a piece of text.
    mutating func apply(_ event: QueryEvent) throws(Status) -> Change {
        switch event {
        case .accepted(let id):
            self.id = id
            return .nothing
        case .started(let worker, _, let predictedTimeToFirstToken):
            self.worker = worker
            self.predictedTimeToFirstToken = predictedTimeToFirstToken ?? self.predictedTimeToFirstToken
            return .started
        case .tokens(let firstIndex, let count, _, let text):
            return try append(firstIndex, count, text)
        case .reset(let firstIndex):
            return try reset(to: firstIndex)
        case .finished(let reason, let inputTokens, let outputTokens):
            ending = Ending(reason: reason, inputTokens: inputTokens, outputTokens: outputTokens)
            return .finished
        }
    }

    private mutating func append(_ firstIndex: Int, _ count: Int, _ text: String) throws(Status) -> Change {
        guard firstIndex == nextIndex else {
            // What has been seen already is dropped; anything else would leave a hole in the text.
            if firstIndex + count <= nextIndex { return .nothing }
            throw Status(.dataLoss, .none, "Output tokens got lost on the way.")
        }
        nextIndex += count
        if keepsText {
            segments.append(Segment(firstIndex: firstIndex, textBytes: text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        }
        return .tokens(count, text: text)
    }

    private mutating func reset(to firstIndex: Int) throws(Status) -> Change {
        guard firstIndex < nextIndex else { return .nothing }
        while let last = segments.last, last.firstIndex >= firstIndex {
            segments.removeLast()
            bytes.removeLast(last.textBytes)
            nextIndex = last.firstIndex
        }
        if keepsText, nextIndex != firstIndex {
            throw Status(.dataLoss, .none, "The answer was taken back within a piece of text.")
        }
        nextIndex = max(0, firstIndex)
        return .tookBack
    }
}
