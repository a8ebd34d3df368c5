package import Messages
package import ServingModel

/// One attempt at one query, decoded and ready for the engine.
package struct WorkerQuery: Hashable, Sendable {
    package var lease: Lease
    package var input: PromptInput
    package var sampling: Sampling
    package var defaultSeed: UInt64
    package var maxTokens: Int
    package var resumedTokens: [Int32]
    package var outputTokensHint: Int?
    /// Whose part the attempt is, as the broker says; with the state that the client sent.
    package var trace: TraceContext?
    /// Whether its KV cache is to be left for another worker once it has a token.
    package var handsOver: Bool
    /// The KV cache to take over; empty for none.
    package var kvCache: String

    /// - Throws: a `Status` if the client's request cannot be read; the broker has checked it, so that is its or the
    ///   protocol's fault.
    package init(_ assignment: WireAssignment) throws(Status) {
        let request = try Self.request(of: assignment)
        lease = assignment.lease
        input = request.input
        sampling = request.sampling
        maxTokens = request.maxTokens
        resumedTokens = assignment.resumedTokens
        handsOver = assignment.handsOver
        kvCache = assignment.kvCache
        defaultSeed = Self.seed(from: assignment.queryID)
        let state = request.metadata.last { $0.key == "tracestate" }?.value
        trace = TraceContext(traceparent: assignment.traceparent, tracestate: state ?? "")
        outputTokensHint = request.metadata.last { $0.key == "x-aladdin-output-tokens" }.flatMap { Int($0.value) }
    }

    private static func request(of assignment: WireAssignment) throws(Status) -> GenerateRequest {
        if let request = assignment.request.value(as: GenerateRequest.self) { return request }
        do throws(DecodingFailure) {
            return try GenerateRequest.decode(assignment.request.bytes)
        } catch {
            throw Status(.internalError, .malformed, error.description)
        }
    }

    /// FNV-1a over the identifier: every attempt of a query draws alike, on whichever worker.
    private static func seed(from queryID: String) -> UInt64 {
        queryID.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }
}
