package import ServingModel

/// What the workers of a fleet are: one profile, or several in fixed proportions.
package struct WorkerMix: Hashable, Sendable {
    package struct Part: Hashable, Sendable {
        package var profile: LatencyProfile
        /// How many of `total` workers have this profile; at least 1.
        package var count: Int

        package init(profile: LatencyProfile, count: Int) {
            precondition(count > 0)
            self.profile = profile
            self.count = count
        }
    }

    package let parts: [Part]

    /// - Precondition: at least one part.
    package init(_ parts: [Part]) {
        precondition(!parts.isEmpty)
        self.parts = parts
    }

    package init(_ profile: LatencyProfile) {
        self.init([Part(profile: profile, count: 1)])
    }

    package var total: Int { parts.reduce(0) { $0 + $1.count } }

    /// Of how many workers each profile is if there are `count`: as near to the proportions as whole numbers allow.
    ///
    /// By largest remainder, the part given first on ties.
    package func counts(of count: Int) -> [Int] {
        let total = total
        var result = parts.map { count * $0.count / total }
        let byRemainder = parts.indices.sorted {
            (count * parts[$1].count % total, $0) < (count * parts[$0].count % total, $1)
        }
        for index in byRemainder.prefix(count - result.reduce(0, +)) { result[index] += 1 }
        return result
    }

    /// One profile for each of `count` workers, those of a part together.
    package func profiles(of count: Int) -> [LatencyProfile] {
        zip(parts, counts(of: count)).flatMap { Array(repeating: $0.profile, count: $1) }
    }

    /// Of `count` workers together.
    package func gpus(of count: Int) -> Int {
        zip(parts, counts(of: count)).reduce(0) { $0 + $1.0.profile.gpus * $1.1 }
    }

    /// A worker at least as good in every respect as any part, for bounds.
    package var optimist: LatencyProfile {
        parts.dropFirst().reduce(into: parts[0].profile) { best, part in
            best.takeTheBetter(of: part.profile)
        }
    }
}

extension LatencyProfile {
    fileprivate mutating func takeTheBetter(of other: LatencyProfile) {
        let constant = min(
            mixedConstantMilliseconds ?? decode.c3Milliseconds,
            other.mixedConstantMilliseconds ?? other.decode.c3Milliseconds
        )
        prefill.c0Milliseconds = min(prefill.c0Milliseconds, other.prefill.c0Milliseconds)
        prefill.c1Milliseconds = min(prefill.c1Milliseconds, other.prefill.c1Milliseconds)
        let slope = min(lowestPrefillSlope, other.lowestPrefillSlope)
        prefill.k1Milliseconds = slope
        prefill.kneeTokens = 0
        prefill.k1AboveKneeMilliseconds = 0
        prefill.k1qMilliseconds = min(prefill.k1qMilliseconds, other.prefill.k1qMilliseconds)
        decode.c3Milliseconds = min(decode.c3Milliseconds, other.decode.c3Milliseconds)
        decode.c2Milliseconds = min(lowestDecodeSlope, other.lowestDecodeSlope)
        decode.kneeSequences = 0
        decode.c2AboveKneeMilliseconds = 0
        decode.k2Milliseconds = min(decode.k2Milliseconds, other.decode.k2Milliseconds)
        decode.expertMilliseconds = min(decode.expertMilliseconds, other.decode.expertMilliseconds)
        decode.expertShare = min(decode.expertShare, other.decode.expertShare)
        mixedConstantMilliseconds = constant
        kvCache.capacityTokens = max(kvCache.capacityTokens, other.kvCache.capacityTokens)
        limits.maximumSequences = max(limits.maximumSequences, other.limits.maximumSequences)
    }

    private var lowestPrefillSlope: Double {
        prefill.k1Milliseconds + (prefill.kneeTokens > 0 ? min(prefill.k1AboveKneeMilliseconds, 0) : 0)
    }

    private var lowestDecodeSlope: Double {
        decode.c2Milliseconds + (decode.kneeSequences > 0 ? min(decode.c2AboveKneeMilliseconds, 0) : 0)
    }
}
