internal import EngineInterface
internal import ServingModel

/// A streamed answer, read as it comes: bytes in, tokens out, an end.
struct AnswerReader {
    private static let largestError = 64 << 10
    /// Bytes of text that no token has come for.
    private static let mostHeldText = 4 << 20

    private var status = 0
    private var retryAfter: Interval?
    private var events = ServerSentEvents()
    private var meter: TokenMeter
    private var finish: String?
    private var total: Int?
    private(set) var prompt: PromptCount?
    private var isDone = false
    private var failure: Status?
    /// The body of an answer that is an error.
    private var refusal: [UInt8] = []

    init(maxTokens: Int) {
        meter = TokenMeter(maximum: maxTokens)
    }

    /// Whether what still comes can change nothing.
    var hasFailed: Bool { failure != nil }

    private var isOver: Bool { isDone || hasFailed }

    mutating func begin(status: Int, retryAfter: Interval?) {
        self.status = status
        self.retryAfter = retryAfter
    }

    /// Takes bytes of the body and returns the tokens in them.
    mutating func take(_ bytes: [UInt8]) -> [StreamedTokens] {
        guard !isOver else { return [] }
        guard status == 200 else {
            refusal += bytes.prefix(max(0, Self.largestError - refusal.count))
            return []
        }
        do throws(ServerSentEvents.TooLong) {
            var tokens: [StreamedTokens] = []
            for event in try events.take(bytes) where !isOver {
                if let some = take(event: event) { tokens.append(some) }
            }
            return tokens
        } catch {
            failure = Self.broken("an event of more than \(ServerSentEvents.maximumBytes) bytes")
            return []
        }
    }

    /// Takes the end of the transfer.
    ///
    /// - Parameter interruption: why it ended early, if it did.
    /// - Returns: tokens that were held back.
    /// - Throws: why there is no whole answer.
    mutating func end(_ interruption: String?) throws(Status) -> (last: StreamedTokens?, end: StreamedEnd) {
        if let failure { throw failure }
        guard interruption != nil || status == 200 else {
            throw Status(answer: status, error: ServerError(answer: refusal), retryAfter: retryAfter)
        }
        // With its reason an answer is whole, even if what follows it was lost.
        guard let finish else {
            let why = interruption ?? (isDone ? "it says nothing of how the answer ended" : "the answer broke off")
            throw Self.broken(why)
        }
        let reason: FinishReason = finish == "length" ? .length : .stop
        var last = meter.finish(total: total)
        last?.prompt = prompt
        return (last, StreamedEnd(finish: reason, prompt: prompt))
    }

    private mutating func take(event: [UInt8]) -> StreamedTokens? {
        guard !event.elementsEqual("[DONE]".utf8) else {
            isDone = true
            return nil
        }
        guard let chunk = try? CompletionChunk.decode(event) else {
            failure = Self.broken("an event that cannot be read")
            return nil
        }
        if let error = chunk.error {
            failure = Status(answer: error.code ?? 500, error: error, retryAfter: nil)
            return nil
        }
        note(chunk)
        let choice = chunk.choice
        if let reason = choice?.finishReason {
            // A server that gives up says so in the place of a reason.
            if reason == "abort" || reason == "error" { failure = Self.broken("the server gave the answer up") }
            finish = reason
        }
        var tokens = meter.take(choice?.piece ?? "", isToken: choice?.isToken ?? false, total: running(chunk))
        tokens?.prompt = prompt
        if meter.heldBytes > Self.mostHeldText {
            let limit = "\(Self.mostHeldText >> 20) MiB"
            failure = Self.broken("more than \(limit) of text beyond the tokens that were asked for")
        }
        return tokens
    }

    private mutating func note(_ chunk: CompletionChunk) {
        if let count = chunk.usage?.completionTokens ?? chunk.timings?.predictedN { total = max(count, total ?? 0) }
        if let count = chunk.usage?.promptTokens, count > 0 {
            prompt = Self.count(count, cached: chunk.usage?.cachedTokens ?? 0)
        } else if let computed = chunk.timings?.promptN, computed > 0 {
            let cached = min(max(0, chunk.timings?.cacheN ?? 0), TokenBounds.mostOfPrompt)
            prompt = Self.count(min(computed, TokenBounds.mostOfPrompt) + cached, cached: cached)
        }
    }

    /// What a server says, within what can be reckoned with.
    private static func count(_ tokens: Int, cached: Int) -> PromptCount {
        let tokens = min(tokens, TokenBounds.mostOfPrompt)
        return PromptCount(tokens: tokens, cached: min(max(0, cached), tokens))
    }

    /// Tokens so far, from a server that counts along.
    private func running(_ chunk: CompletionChunk) -> Int? {
        guard chunk.choice != nil else { return nil }
        return chunk.usage?.completionTokens ?? chunk.timings?.predictedN
    }

    private static func broken(_ what: String) -> Status {
        Status(.unavailable, .engineFailed, "the server did not answer to the end: \(what)")
    }
}

extension Status {
    /// What an HTTP status of a server means for the query.
    init(answer status: Int, error: ServerError?, retryAfter: Interval?) {
        switch status {
        case 400 where error?.saysTooLong == true, 422 where error?.saysTooLong == true, 413:
            self.init(.outOfRange, .promptTooLong, "prompt and answer are longer than the server's context")
        case 400, 422:
            self.init(.invalidArgument, .malformed, "the server does not take the request (HTTP status \(status))")
        case 429, 503:
            let message = "the server is busy (HTTP status \(status))"
            self.init(.resourceExhausted, .overloaded, message, retryAfter: retryAfter)
        case 401, 403:
            self.init(.unavailable, .engineFailed, "the server refuses the worker's API key (HTTP status \(status))")
        default:
            self.init(.unavailable, .engineFailed, "the server failed (HTTP status \(status))")
        }
    }
}
