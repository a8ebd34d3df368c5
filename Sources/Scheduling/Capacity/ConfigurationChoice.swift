package import ServingModel

/// A comparison of ways to form workers, with the reasons.
package struct ConfigurationChoice: Sendable {
    /// One profile, and what it would mean to serve the load with it.
    package struct Candidate: Sendable {
        package let profile: LatencyProfile
        /// b*: sequences that a worker decodes at once, by the formula used; 0 where it was excluded before.
        package internal(set) var batch = 0.0
        /// Queries per second that one worker serves within the objectives.
        package internal(set) var ratePerWorker = 0.0
        /// Workers for the load, not rounded and without margin; infinite if excluded.
        package internal(set) var workers = Double.infinity
        /// The time of a long prompt's first token on an otherwise idle queue, in seconds.
        package internal(set) var longestFirstToken = 0.0
        /// Nil for the one that is taken.
        package internal(set) var exclusion: ConfigurationExclusion?

        package var gpus: Int { profile.gpus }
        /// GPUs for the load.
        package var cost: Double { workers * Double(gpus) }

        init(profile: LatencyProfile) {
            self.profile = profile
        }
    }

    /// In the order given.
    package let candidates: [Candidate]
    /// Index of the one taken; nil if none is feasible.
    package let best: Int?

    /// Takes the cheapest of the feasible candidates, the first given on ties, and notes how much dearer the others are.
    init(_ candidates: [Candidate]) {
        var candidates = candidates
        let feasible = candidates.indices.filter { candidates[$0].exclusion == nil }
        best = feasible.min { candidates[$0].cost < candidates[$1].cost }
        if let best {
            for index in feasible where index != best {
                candidates[index].exclusion = .dearer(factor: candidates[index].cost / candidates[best].cost)
            }
        }
        self.candidates = candidates
    }
}
