internal import RecordTables
package import ServingModel

/// A rule for where queries go: the one protocol to implement for a policy of your own.
///
/// After each round of events the scheduler asks it to `decide`. It places as many of `view.unplaced` as it likes, by
/// `view.place(…)` so that the next decision sees the last; what it holds back is asked for again with the next event,
/// or at the instant it names. A policy keeps no clock and draws randomness only from its seed.
package protocol PlacementPolicy: Sendable {
    /// Places queries.
    mutating func decide(in view: inout ClusterView, at now: Instant) -> Decision
}

/// What a policy decided.
package struct Decision: Sendable {
    package var placements: [Placement]
    /// When to be asked again at the latest if nothing happens; nil for not before something does.
    package var lookAgain: Instant?

    package init(placements: [Placement] = [], lookAgain: Instant? = nil) {
        self.placements = placements
        self.lookAgain = lookAgain
    }
}

/// A policy that places every query at once, on the worker that it likes best.
package protocol ImmediatePolicy: PlacementPolicy {
    /// The slot of the worker for a query.
    ///
    /// - Parameter pool: slots of the workers that serve its model, at least one, in the order in which they joined.
    mutating func choose(for query: QueryView, among pool: [Int], in view: ClusterView, at now: Instant) -> Int
}

extension ImmediatePolicy {
    package mutating func decide(in view: inout ClusterView, at now: Instant) -> Decision {
        var decision = Decision()
        for entry in view.unplaced {
            guard let query = view.queries[entry.number] else { continue }
            let pool = view.pool(for: query)
            guard !pool.isEmpty else { continue }
            let slot = choose(for: query, among: pool, in: view, at: now)
            decision.placements.append(view.placement(of: query, onSlot: slot, at: now))
            view.place(entry.number, onSlot: slot, at: now)
        }
        return decision
    }
}

extension ClusterView {
    /// The decision to place a query, with what is predicted of it.
    ///
    /// - Parameter explains: whether it says that the query was placed on arrival, if explanations are wanted.
    package func placement(
        of query: QueryView,
        onSlot slot: Int,
        at now: Instant,
        explains: Bool = true
    ) -> Placement {
        let load = workers[slot].load
        let context = workers[slot].contextTokens + workers[slot].waitingTokens + query.contextTokens
        let pace = workers[slot].model.decode(sequences: Double(load + 1), context: Double(context))
        return Placement(
            query: query.number,
            attempt: query.queued.attempt,
            worker: workers[slot].id,
            predictedTimeToFirstToken: query.arrivesPrefilled
                ? nil : predictedTimeToFirstToken(of: query, onSlot: slot, at: now),
            predictedTokenTime: .seconds(rounding: pace / (1 - 0.5 * min(prefillShare(at: now), 0.9))),
            explanation: wantsExplanations && explains ? explanation(of: query, onSlot: slot, at: now) : nil
        )
    }

    private func explanation(of query: QueryView, onSlot slot: Int, at now: Instant) -> PlacementExplanation {
        PlacementExplanation(
            reason: "placed on arrival",
            held: now - query.arrival,
            batch: 1,
            candidates: [.init(worker: workers[slot].id, terms: [.init("load", Double(workers[slot].load))])]
        )
    }

    /// Age + rest of the step under way + prefill of what waits there + own prefill.
    package func predictedTimeToFirstToken(of query: QueryView, onSlot slot: Int, at now: Instant) -> Interval {
        let boundary = workers[slot].nextBoundary(at: now)
        let cached = cachedTokens(of: query, onSlot: slot)
        let prefill = workers[slot].prefillSeconds(adding: query.prefillTokens, cached: cached)
        return boundary - query.arrival + .seconds(rounding: prefill)
    }
}

extension WorkerView {
    /// Seconds from its next step boundary until what waits and a further prompt are prefilled.
    ///
    /// - Parameter cached: those of the prompt's tokens that it holds already.
    package func prefillSeconds(adding tokens: Int, cached: Int = 0) -> Double {
        let (done, doneSquares) = underway
        let total = Double(waitingTokens - done + tokens - cached)
        let squares = Double(waitingSquares - doneSquares + tokens * tokens - cached * cached)
        guard isChunked else { return model.prefill(tokens: total, squares: squares) }
        let budget = Double(max(1, profile.limits.chunkTokens - residents.count))
        let steps = max(1, (total / budget).rounded(.up))
        return model.mixed(
            tokens: total,
            squares: squares,
            sequences: Double(residents.count),
            context: Double(contextTokens)
        ) + (steps - 1) * model.decode(sequences: Double(residents.count), context: Double(contextTokens))
    }

    /// Prompt tokens that the step under way takes in, and their share of the squares.
    package var underway: (tokens: Int, squares: Int) {
        guard let step, step.prefills > 0 else { return (0, 0) }
        guard isChunked else {
            return waiting.prefix(step.prefills).reduce((0, 0)) {
                ($0.0 + $1.openTokens, $0.1 + $1.openSquares)
            }
        }
        let tokens = min(max(0, profile.limits.chunkTokens - residents.count), waitingTokens)
        return (tokens, waitingTokens > 0 ? Int(Double(waitingSquares) * Double(tokens) / Double(waitingTokens)) : 0)
    }
}
