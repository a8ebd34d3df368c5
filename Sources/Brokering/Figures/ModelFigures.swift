package import ServingModel

/// What is measured per model, since the broker started: distributions, leases and reasons.
///
/// Noting a value costs a search among a score of bounds; nothing is allocated once a reason was seen.
package struct ModelFigures: Sendable {
    /// Of completed queries of one class.
    package struct Latencies: Sendable {
        /// From arrival to the first token.
        package fileprivate(set) var timeToFirstToken = Distribution(bounds: Distribution.waitBounds)
        /// The mean gap between further tokens, of answers of two or more.
        package fileprivate(set) var averageTokenTime = Distribution(bounds: Distribution.tokenTimeBounds)
        /// From arrival to the end.
        package fileprivate(set) var duration = Distribution(bounds: Distribution.waitBounds)
    }

    /// Classes kept apart at most; the configuration may change and change again.
    package static let maximumClasses = 32

    /// In the order in which they came; so few that looking through them is the quickest way to one.
    package private(set) var latencies: [(key: ServiceClass, latencies: Latencies)] = []
    /// From arrival to the first time that a worker pulled it.
    package private(set) var queueWait = Distribution(bounds: Distribution.waitBounds)
    package private(set) var stepTime = Distribution(bounds: Distribution.tokenTimeBounds)
    /// Sequences that decode in a step, of steps in which any does.
    package private(set) var decodeSequences = Distribution(bounds: Distribution.sizeBounds)
    /// Prompt tokens in a step, of steps in which there are any.
    package private(set) var prefillTokens = Distribution(bounds: Distribution.sizeBounds)
    package private(set) var leasesGranted: UInt64 = 0
    private var leaseEnds = LeaseEnd.allCases.map { _ in UInt64(0) }
    /// Prompt tokens of queries that have ended, as far as they were counted.
    package private(set) var promptTokens: UInt64 = 0
    /// Queries that were not accepted, and those that failed, by the reason that their clients were told.
    package private(set) var refusals: [Reason: UInt64] = [:]
    package private(set) var failures: [Reason: UInt64] = [:]

    /// KV caches that workers left for others, their bytes, and those of them that did not arrive.
    package private(set) var handovers: UInt64 = 0
    package private(set) var handoverBytes: UInt64 = 0
    package private(set) var failedHandovers: UInt64 = 0

    package func leases(that end: LeaseEnd) -> UInt64 {
        leaseEnds[end.rawValue]
    }

    mutating func noteRefusal(_ status: Status) {
        refusals[status.reason, default: 0] += 1
    }

    mutating func noteEnd(_ outcome: QueryOutcome) {
        promptTokens += UInt64(max(outcome.inputTokens ?? 0, 0))
        switch outcome.status.code {
        case .ok: noteLatencies(of: outcome)
        case .cancelled: break
        default: failures[outcome.status.reason, default: 0] += 1
        }
    }

    private mutating func noteLatencies(of outcome: QueryOutcome) {
        let row = row(of: outcome.serviceClass)
        if let time = outcome.timeToFirstToken { latencies[row].latencies.timeToFirstToken.add(time) }
        if let time = outcome.averageTokenTime { latencies[row].latencies.averageTokenTime.add(time) }
        if let time = outcome.duration { latencies[row].latencies.duration.add(time) }
    }

    private mutating func row(of key: ServiceClass) -> Int {
        if let row = latencies.firstIndex(where: { $0.key == key }) { return row }
        if latencies.count >= Self.maximumClasses, key.name != TenantFigures.others {
            return row(of: ServiceClass(name: TenantFigures.others, rank: key.rank))
        }
        latencies.append((key, Latencies()))
        return latencies.count - 1
    }

    /// - Parameter wait: from the query's arrival; nil if a worker had it before.
    mutating func noteLease(after wait: Interval?) {
        leasesGranted += 1
        if let wait { queueWait.add(wait) }
    }

    mutating func noteLeaseEnd(_ status: Status) {
        leaseEnds[LeaseEnd(status).rawValue] += 1
    }

    mutating func noteHandover(bytes: Int) {
        leaseEnds[LeaseEnd.moved.rawValue] += 1
        handovers += 1
        handoverBytes += UInt64(clamping: bytes)
    }

    mutating func noteFailedHandover() {
        failedHandovers += 1
    }

    /// A step of unknown time is one of time zero.
    mutating func noteStep(_ workload: StepWorkload, took duration: Interval) {
        if duration > .zero { stepTime.add(duration) }
        if workload.decodeSequences > 0 { decodeSequences.add(Double(workload.decodeSequences)) }
        if workload.prefillTokens > 0 { prefillTokens.add(Double(workload.prefillTokens)) }
    }
}
