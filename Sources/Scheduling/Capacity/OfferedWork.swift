package import ServingModel

/// What a query costs a worker at least, in seconds of its time: the part that grows with the query.
///
/// ```
/// W = k1·l_in + k1q·l_in² + Σ over decode tokens (c2 + k2·context)
///   = k1·l_in + k1q·l_in² + n·c2 + k2·(n·l_in + n(n + 1)/2)          n = l_out − 1
/// ```
///
/// The constants of steps (c1, c3, c0) are not in it: they are shared by all that is in a step, and `MeanFieldCapacity`
/// accounts for c3. A knee of the prefill counts as if each prompt were prefilled alone; a knee of the decode and the
/// reading of experts depend on the batch, so they are `MeanFieldCapacity`'s, too. O(1) a query.
package struct OfferedWork: Hashable, Sendable {
    package let k1: Double
    package let k1q: Double
    package let k2: Double
    package let c2: Double
    private let kneeTokens: Double
    private let k1AboveKnee: Double

    package init(profile: LatencyProfile) {
        k1 = profile.prefill.k1Milliseconds / 1000
        k1q = profile.prefill.k1qMilliseconds / 1000
        kneeTokens = profile.prefill.kneeTokens > 0 ? profile.prefill.kneeTokens : .infinity
        k1AboveKnee = profile.prefill.k1AboveKneeMilliseconds / 1000
        k2 = profile.decode.k2Milliseconds / 1000
        c2 = profile.decode.c2Milliseconds / 1000
    }

    /// The whole of it, in worker-seconds.
    package func seconds(of query: QuerySize) -> Double {
        prefillSeconds(inputTokens: query.inputTokens) + c2 * Double(query.decodeTokens) + k2 * query.contextSum
    }

    package func prefillSeconds(inputTokens: Int) -> Double {
        let tokens = Double(inputTokens)
        let aboveKnee = tokens > kneeTokens ? k1AboveKnee * (tokens - kneeTokens) : 0
        return k1 * tokens + k1q * tokens * tokens + aboveKnee
    }

    /// `E[W]` over a sample; 0 for an empty one.
    package func mean(of queries: [QuerySize]) -> Double {
        queries.isEmpty ? 0 : queries.reduce(0) { $0 + seconds(of: $1) } / Double(queries.count)
    }

    /// `E[W]` of a query whose answer's length is only known as a distribution.
    package func expectedSeconds(inputTokens: Int, survival: SurvivalFunction) -> Double {
        let decodes = survival.mean - 1
        let contexts = decodes * Double(inputTokens) + survival.meanOwnContexts
        return prefillSeconds(inputTokens: inputTokens) + c2 * decodes + k2 * contexts
    }
}
