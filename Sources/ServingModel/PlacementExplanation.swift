/// Why a query was placed where it was: what the policy compared.
public struct PlacementExplanation: Hashable, Sendable {
    /// One number that went into a comparison, by its name: `hazard`, `pace`, `ttft_ms`.
    public struct Term: Hashable, Sendable {
        public var name: String
        public var value: Double

        public init(_ name: String, _ value: Double) {
            self.name = name
            self.value = value
        }
    }

    /// A worker that was considered.
    public struct Candidate: Hashable, Sendable {
        public var worker: WorkerID
        public var terms: [Term]
        /// The constraint that it failed, in words; empty if it failed none.
        public var failed: String

        public init(worker: WorkerID, terms: [Term], failed: String = "") {
            self.worker = worker
            self.terms = terms
            self.failed = failed
        }
    }

    /// At most this many candidates are told.
    public static let maximumCandidates = 8

    /// Why now and why there, in words.
    public var reason: String
    /// From arrival to the decision.
    public var held: Interval
    /// Queries that were sent together, this one included.
    public var batch: Int
    /// The chosen one first.
    public var candidates: [Candidate]

    public init(reason: String, held: Interval, batch: Int, candidates: [Candidate]) {
        self.reason = reason
        self.held = held
        self.batch = batch
        self.candidates = candidates
    }
}
