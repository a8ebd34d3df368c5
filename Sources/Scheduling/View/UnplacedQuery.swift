package import ServingModel

/// A query that waits to be placed: what the central queue's order and the forming of batches need.
package struct UnplacedQuery: Hashable, Comparable, Sendable {
    package let deadline: Instant
    package let number: QueryNumber
    package let prefillTokens: Int
    /// What it holds of a worker's KV cache as soon as it runs there.
    package let contextTokens: Int
    /// The most that it may grow to.
    package let longestContext: Int
    package let priority: Int
    package let tenant: String
    /// When its first token came, in seconds, if it did elsewhere: only its ATGT can still be missed.
    package let firstToken: Double?
    /// Output so far.
    package let outputTokens: Int
    /// TTFT objective in seconds.
    package let firstTokenTime: Double
    /// ATGT objective in seconds.
    package let tokenTime: Double
    /// The client's guess of its output's length; 0 if there is none.
    package let lengthHint: Int
    /// Whether it says what its prompt begins with.
    package let namesPrefix: Bool

    init(_ query: QueryView) {
        // With its first token out, what arrives prefilled loses by every moment it is held.
        deadline = query.arrivesPrefilled ? query.arrival : query.deadline
        number = query.number
        prefillTokens = query.prefillTokens
        contextTokens = query.contextTokens
        longestContext = query.inputTokens + query.queued.maxTokens
        priority = query.queued.priority
        tenant = query.queued.tenant
        firstToken = query.firstToken?.seconds
        outputTokens = query.outputTokens
        firstTokenTime = query.objective.timeToFirstToken.seconds
        tokenTime = query.objective.averageTokenTime.seconds
        lengthHint = query.lengthHint
        namesPrefix = !query.queued.blocks.isEmpty && query.prefillTokens > 0
    }

    package var hasStarted: Bool { firstToken != nil }

    package static func < (left: UnplacedQuery, right: UnplacedQuery) -> Bool {
        (left.deadline, left.number) < (right.deadline, right.number)
    }
}
