package import ServingModel

/// How many GPUs a worker should have: the paper's rule, and ours.
///
/// Both compare profiles of the same model on the same device over different numbers of GPUs, for a load and objectives.
/// A profile is out if the largest query doesn't fit its memory, if c3 leaves nothing of the token time, or if a prompt
/// that 1 % exceed can't have its first token in time behind half a step under way.
package struct WorkerConfiguration: Sendable {
    package let load: LoadSummary
    package let objective: ServiceLevelObjective
    /// θ of the paper: the share of the ATGT objective that planning may use.
    package var paceShare = 1.0
    /// η of the paper: the share of the KV cache that mean contexts may fill, leaving room for peaks.
    package var memoryShare = 0.9
    /// β of the paper: prompts that share a prefill step on average.
    package var prefillBatch = 1.0
    /// Share of the KV cache beyond which a single query is not served at all.
    package var largestQueryShare = 0.9

    package init(load: LoadSummary, objective: ServiceLevelObjective) {
        self.load = load
        self.objective = objective
    }

    /// The paper's choice: the greatest throughput per GPU, r*(g)/g; the closed form is our reading.
    ///
    /// With o = E[l_out − 1], L the mean context of a resident and p = k1·E[l] + k1q·E[l²] + c1/β:
    /// ```
    /// b_slo = (θ·T − c3) / (k2·L + c2 + p/o)      a token waits for its own step and its share of prefills
    /// b_kv  = η·M / (L + j)                       j = (block − 1)/2, the part of a block left empty
    /// b*    = ⌊min(b_slo, b_kv, maximum sequences)⌋
    /// r*    = b* / (o·t_dec(b*) + b*·p)
    /// ```
    package func paperChoice(among profiles: [LatencyProfile]) -> ConfigurationChoice {
        choice(among: profiles) { profile, candidate in
            let model = StepModel(profile)
            let prefill = prefillSeconds(model)
            guard load.meanDecodes > 0 else {
                candidate.batch = 1
                candidate.ratePerWorker = prefill > 0 ? 1 / prefill : .infinity
                return
            }
            let perSequence = model.k2 * load.residentContext + model.c2 + prefill / load.meanDecodes
            let pace = paceShare * objective.averageTokenTime.seconds
            let byPace = perSequence > 0 ? (pace - model.c3) / perSequence : .infinity
            let batch = min(byPace, memoryBatch(profile), Double(profile.limits.maximumSequences)).rounded(.down)
            guard batch >= 1 else { return }
            let step = model.decode(sequences: batch, context: batch * load.residentContext)
            candidate.batch = batch
            candidate.ratePerWorker = batch / (load.meanDecodes * step + batch * prefill)
        }
    }

    /// Ours: the least g·N with N the mean-field capacity, the batch held within memory.
    ///
    /// At batch b a query costs `E[W] + o·c3/b`; at the batch where the pace is T that is `E[W]/(1 − c3/T)`, the
    /// mean-field capacity, and where memory or the limit on sequences binds first it is more.
    package func meanFieldChoice(among profiles: [LatencyProfile]) -> ConfigurationChoice {
        choice(among: profiles) { profile, candidate in
            let capacity = MeanFieldCapacity(profile: profile, averageTokenTime: objective.averageTokenTime)
            let model = StepModel(profile)
            let work =
                model.k1 * load.meanInput + model.k1q * load.meanSquaredInput + model.c2 * load.meanDecodes
                + model.k2 * load.meanContextSum
            let perRate = capacity.workersPerRate(meanWork: work, meanDecodes: load.meanDecodes)
            guard perRate.isFinite, perRate > 0 else { return }
            let byPace = capacity.meanBatch(meanWork: work, meanDecodes: load.meanDecodes)
            let bound = min(memoryBatch(profile), Double(profile.limits.maximumSequences))
            candidate.batch = min(byPace, bound)
            guard load.meanDecodes == 0 || candidate.batch >= 1 else { return }
            let cost = byPace > bound ? work + load.meanDecodes * model.c3 / bound : perRate
            candidate.ratePerWorker = 1 / max(cost, perRate)
        }
    }

    private func choice(
        among profiles: [LatencyProfile],
        evaluate: (LatencyProfile, inout ConfigurationChoice.Candidate) -> Void
    ) -> ConfigurationChoice {
        ConfigurationChoice(
            profiles.map { profile in
                var candidate = ConfigurationChoice.Candidate(profile: profile)
                candidate.exclusion = obstacle(to: profile)
                guard candidate.exclusion == nil else { return candidate }
                evaluate(profile, &candidate)
                guard candidate.ratePerWorker > 0 else {
                    candidate.exclusion = .noBatch
                    return candidate
                }
                candidate.workers = load.rate / candidate.ratePerWorker
                candidate.longestFirstToken = firstTokenSeconds(StepModel(profile), batch: candidate.batch)
                if candidate.longestFirstToken > objective.timeToFirstToken.seconds {
                    candidate.exclusion = .firstTokenTooLate(
                        seconds: candidate.longestFirstToken,
                        limitSeconds: objective.timeToFirstToken.seconds
                    )
                    candidate.workers = .infinity
                }
                return candidate
            }
        )
    }

    private func obstacle(to profile: LatencyProfile) -> ConfigurationExclusion? {
        let admissible = Int(largestQueryShare * Double(profile.kvCache.capacityTokens))
        guard load.largest <= admissible else {
            return .queryExceedsKVCache(tokens: load.largest, capacityTokens: admissible)
        }
        let constant = profile.decode.c3Milliseconds / 1000
        let limit = paceShare * objective.averageTokenTime.seconds
        guard constant < limit || load.meanDecodes == 0 else {
            return .paceUnreachable(stepSeconds: constant, limitSeconds: limit)
        }
        return nil
    }

    /// p: the prefill of a mean query, with its share of the step's constant.
    private func prefillSeconds(_ model: StepModel) -> Double {
        model.k1 * load.meanInput + model.k1q * load.meanSquaredInput + model.c1 / prefillBatch
    }

    private func memoryBatch(_ profile: LatencyProfile) -> Double {
        let emptyPart = Double(profile.kvCache.blockTokens - 1) / 2
        return memoryShare * Double(profile.kvCache.capacityTokens) / (load.residentContext + emptyPart)
    }

    private func firstTokenSeconds(_ model: StepModel, batch: Double) -> Double {
        let tokens = Double(load.longInput)
        let step = load.meanDecodes > 0 ? model.decode(sequences: batch, context: batch * load.residentContext) : 0
        return model.prefill(tokens: tokens, squares: tokens * tokens) + step / 2
    }
}
