package import ServingModel

/// How many workers a load needs if it could be spread over them like a fluid: `N_mf = R·E[W] / (1 − c3/T_atgt)`.
///
/// Of every token time T a worker spends c3 on reading weights, whatever it does; `soldShare = 1 − c3/T` is what it can
/// sell. Real fleets need a little more: prompts and answers come in lumps.
///
/// - A decode knee makes two straight lines out of one. Time is the higher of them where the slope rises, and so is
///   N_mf (the lower where it falls); the second line is c2 + c2' a sequence and a constant of c3 − c2'·knee.
/// - On a mixture of experts the constant includes reading the experts that the mean batch needs.
package struct MeanFieldCapacity: Sendable {
    /// What N_mf is divided by for a steady load: the best policy keeps workers this busy at 99 % attainment.
    package static let steadyUtilisation = 0.95

    package let profile: LatencyProfile
    package let work: OfferedWork
    /// T_atgt in seconds.
    package let tokenTime: Double

    package init(profile: LatencyProfile, averageTokenTime: Interval) {
        self.profile = profile
        work = OfferedWork(profile: profile)
        tokenTime = averageTokenTime.seconds
    }

    /// 1 − c3/T on the plain line, without knee and experts; not positive if the pace can't be kept at all.
    package var soldShare: Double {
        1 - profile.decode.c3Milliseconds / 1000 / tokenTime
    }

    /// N_mf; infinite if not even a lone sequence keeps the pace.
    package func workers(rate: Double, queries: [QuerySize]) -> Double {
        guard !queries.isEmpty, rate > 0 else { return 0 }
        let decodes = queries.reduce(0) { $0 + Double($1.decodeTokens) } / Double(queries.count)
        return rate * workersPerRate(meanWork: work.mean(of: queries), meanDecodes: decodes)
    }

    /// N_mf for one query per second.
    package func workersPerRate(meanWork: Double, meanDecodes: Double) -> Double {
        guard meanDecodes > 0 else { return meanWork }
        let decode = profile.decode
        let constant = decode.c3Milliseconds / 1000
        let plain = workers(meanWork: meanWork, meanDecodes: meanDecodes, constant: constant)
        guard decode.kneeSequences > 0, decode.c2AboveKneeMilliseconds != 0 else { return plain }
        let slope = decode.c2AboveKneeMilliseconds / 1000
        let above = workers(
            meanWork: meanWork + slope * meanDecodes,
            meanDecodes: meanDecodes,
            constant: constant - slope * decode.kneeSequences
        )
        return slope > 0 ? max(plain, above) : min(plain, above)
    }

    /// Sequences that a worker decodes at once when its pace is exactly T: `E[n]·(T − c3)/E[W]`.
    package func meanBatch(meanWork: Double, meanDecodes: Double) -> Double {
        let perRate = workersPerRate(meanWork: meanWork, meanDecodes: meanDecodes)
        return perRate > 0 ? meanDecodes * tokenTime / perRate : 0
    }

    /// ⌈N_mf / 0.95⌉, at least 1; nil if no number of workers suffices.
    package func steadyWorkers(rate: Double, queries: [QuerySize]) -> Int? {
        let workers = workers(rate: rate, queries: queries) / Self.steadyUtilisation
        return workers.isFinite ? max(1, Int(workers.rounded(.up))) : nil
    }

    private func workers(meanWork: Double, meanDecodes: Double, constant: Double) -> Double {
        let decode = profile.decode
        guard decode.expertMilliseconds > 0, decode.expertShare > 0 else {
            return constant < tokenTime ? meanWork / (1 - constant / tokenTime) : .infinity
        }
        // The more experts a step reads the fewer sequences fit in it, so there is one batch at which both agree.
        let experts = decode.expertMilliseconds / 1000
        var low = 1.0
        var high = 65_536.0
        for _ in 0..<60 {
            let batch = (low + high) / 2
            let total = constant + experts * decode.shareOfExperts(tokens: Int(batch.rounded()))
            if meanDecodes * (tokenTime - total) > batch * meanWork { low = batch } else { high = batch }
        }
        let total = constant + experts * decode.shareOfExperts(tokens: Int(low.rounded()))
        return total < tokenTime ? meanWork / (1 - total / tokenTime) : .infinity
    }
}
