internal import ArgumentParser
internal import Foundation
internal import Scheduling
internal import ServingModel
internal import Simulation

/// A comparison of ways to form workers: by formulas first, then by simulation.
struct CapacityPlan: Sendable {
    /// One profile and what is known of it.
    struct Alternative: Sendable {
        let path: String
        let profile: LatencyProfile
        /// Of a GPU an hour; nil without prices.
        let price: Double?
        /// Workers by the mean-field formula, without margin; nil if it is infeasible.
        let meanField: Double?
        /// ⌈mean field / 0.95⌉.
        let steady: Int?
        /// Queries per second and GPU by the paper's rule; nil if that excludes it.
        let paperRatePerGPU: Double?
        /// The fewest that reach the attainment in simulation.
        var workers: Int?
        /// Why it is not the one taken.
        var reason: String?

        var gpus: Int? { workers.map { $0 * profile.gpus } }
        /// What a worker counts for when fleets are compared: its price an hour or, without prices, its GPUs.
        var weight: Double { Double(profile.gpus) * (price ?? 1) }
        var costPerHour: Double? { price.flatMap { price in gpus.map { Double($0) * price } } }
    }

    let study: SimulationStudy
    let attainment: Double
    /// Queries per second.
    let rate: Double
    /// In the order given.
    private(set) var alternatives: [Alternative]
    /// The one taken; nil before the simulation, or if none suffices.
    private(set) var best: Int?

    init(
        study: SimulationStudy,
        profiles: [(path: String, profile: LatencyProfile)],
        prices: [Double]? = nil,
        attainment: Double
    ) throws(ArrivalPlanError) {
        self.study = study
        self.attainment = attainment
        var plan = study.plan
        // What fits some worker is part of the load; a profile that it doesn't fit is out.
        plan.kvCapacityTokens = profiles.map(\.profile.kvCache.capacityTokens).max()
        let entries = try plan.entries(from: study.trace, seed: study.seeds[0])
        let seconds = plan.durationSeconds ?? entries.last?.arrival.seconds ?? 0
        rate = seconds > 0 ? Double(entries.count) / seconds : 0
        let sizes = entries.map { QuerySize(inputTokens: $0.inputTokens, outputTokens: $0.outputTokens) }
        let load = LoadSummary(rate: rate, queries: sizes)
        let configuration = WorkerConfiguration(load: load, objective: study.objective)
        let ours = configuration.meanFieldChoice(among: profiles.map(\.profile)).candidates
        let papers = configuration.paperChoice(among: profiles.map(\.profile)).candidates
        alternatives = profiles.indices.map { index in
            let isFeasible = ours[index].workers.isFinite
            let steady = ours[index].workers / MeanFieldCapacity.steadyUtilisation
            let excludes = if case .dearer = ours[index].exclusion { false } else { ours[index].exclusion != nil }
            return Alternative(
                path: profiles[index].path,
                profile: profiles[index].profile,
                price: prices?[index],
                meanField: isFeasible ? ours[index].workers : nil,
                steady: isFeasible ? max(1, Int(steady.rounded(.up))) : nil,
                paperRatePerGPU: papers[index].workers.isFinite
                    ? papers[index].ratePerWorker / Double(papers[index].gpus) : nil,
                reason: excludes ? ours[index].exclusion?.description : nil
            )
        }
    }

    /// The plan with sizes found by simulation, and the best.
    ///
    /// The alternatives that the formula likes come first; later ones are only tried while they could be cheaper.
    func simulated(policy: String, maxWorkers: Int) async throws -> CapacityPlan {
        var result = self
        let order = alternatives.indices.filter { alternatives[$0].reason == nil }
            .sorted { (cost($0), $0) < (cost($1), $1) }
        for index in order {
            let alternative = alternatives[index]
            var largest = maxWorkers
            if let best = result.best {
                largest = min(largest, result.alternatives[best].sizeBelow(alternative))
            }
            var study = study
            study.workers = WorkerMix(alternative.profile)
            let runner: StudyRunner
            do {
                runner = try StudyRunner(study)
            } catch {
                throw ValidationError("\(error)")
            }
            let bound = study.bound(for: runner.workloads, attainment: attainment)
            let minima = try await runner.minima(
                of: [policy],
                from: bound,
                through: largest,
                attainment: attainment
            )
            result.take(minima[0], of: index, triedThrough: largest, isLimited: largest < maxWorkers)
        }
        return result
    }

    private func cost(_ index: Int) -> Double {
        (alternatives[index].meanField ?? .infinity) * alternatives[index].weight
    }

    private mutating func take(_ workers: Int?, of index: Int, triedThrough largest: Int, isLimited: Bool) {
        guard let workers else {
            let gpus = largest * alternatives[index].profile.gpus
            let aim = alternatives[index].price == nil ? "no fewer GPUs" : "no less money"
            alternatives[index].reason =
                isLimited
                ? "needs more than \(largest.counting("worker")) (\(gpus.counting("GPU"))), so \(aim) than the best"
                : "does not reach \(attainment.exactPercent) with \(largest.counting("worker"))"
            return
        }
        if let best {
            let former = alternatives[best]
            alternatives[best].reason =
                former.costPerHour.map { "costs \($0.short) an hour" } ?? "needs \((former.gpus ?? 0).counting("GPU"))"
        }
        alternatives[index].workers = workers
        best = index
    }
}

extension CapacityPlan.Alternative {
    /// The most workers of another kind that come to less than these.
    func sizeBelow(_ other: CapacityPlan.Alternative) -> Int {
        guard let workers, other.weight > 0 else { return other.weight > 0 ? .max : 0 }
        let size = Double(workers) * weight / other.weight
        // Equal is not less, whatever rounding made of it.
        return Int(min((size * (1 - 1e-9)).rounded(.up) - 1, 1e9))
    }
}

extension CapacityPlan {
    /// The names are those of the documented JSON.
    var object: [String: Any] {
        func value(_ value: (some Any)?) -> Any { value.map { $0 as Any } ?? NSNull() }
        var object: [String: Any] = [
            "gpus_per_worker": NSNull(), "workers": NSNull(), "gpus": NSNull(), "rate_per_worker_qps": NSNull(),
            "profile": NSNull(), "rate_qps": rate, "attainment": attainment,
        ]
        if let best, let workers = alternatives[best].workers {
            object["gpus_per_worker"] = alternatives[best].profile.gpus
            object["workers"] = workers
            object["gpus"] = workers * alternatives[best].profile.gpus
            object["rate_per_worker_qps"] = rate / Double(workers)
            object["profile"] = alternatives[best].path
            if let cost = alternatives[best].costPerHour { object["cost_per_hour"] = cost }
        }
        object["alternatives"] = alternatives.enumerated().map { index, alternative -> [String: Any] in
            var row: [String: Any] = [
                "profile": alternative.path, "gpus_per_worker": alternative.profile.gpus,
                "workers_mean_field": value(alternative.meanField), "workers_steady": value(alternative.steady),
                "workers": value(alternative.workers), "gpus": value(alternative.gpus),
                "paper_rate_per_gpu_qps": value(alternative.paperRatePerGPU),
                "chosen": index == best, "reason": value(index == best ? merit : alternative.reason),
            ]
            if let price = alternative.price {
                row["gpu_price_per_hour"] = price
                row["cost_per_hour"] = value(alternative.costPerHour)
            }
            return row
        }
        return object
    }

    /// Why the best is taken.
    private var merit: String { isPriced ? "the least money" : "the fewest GPUs" }
    private var isPriced: Bool { alternatives.contains { $0.price != nil } }

    var text: String {
        var lines: [String] = []
        if let best, let workers = alternatives[best].workers {
            let gpus = alternatives[best].profile.gpus
            let cost = alternatives[best].costPerHour.map { ", \($0.short) an hour" } ?? ""
            lines.append(
                """
                \(workers.counting("worker")) of \(gpus.counting("GPU"))\(workers == 1 ? "" : " each"), \
                \((workers * gpus).counting("GPU")) in all, for \(rate.short) queries/s \
                (\((rate / Double(workers)).short) a worker) at \(attainment.exactPercent) attainment\
                \(cost)
                """
            )
        } else {
            lines.append("no profile serves this load at \(attainment.exactPercent) attainment")
        }
        let rows = alternatives.indices.map(row)
        var heading = ["profile", "GPUs/worker", "mean field", "steady", "simulated", "GPUs"]
        if isPriced { heading.append("cost/hour") }
        heading.append("")
        return (lines + ["", Terminal.table([heading] + rows)]).joined(separator: "\n")
    }

    private func row(_ index: Int) -> [String] {
        let alternative = alternatives[index]
        let name = URL(fileURLWithPath: alternative.path).lastPathComponent
        let numbers = [alternative.steady, alternative.workers, alternative.gpus].map { $0.map(String.init) ?? "–" }
        var row = [name, "\(alternative.profile.gpus)", alternative.meanField?.short ?? "–"] + numbers
        if isPriced { row.append(alternative.costPerHour?.short ?? "–") }
        row.append(index == best ? "taken: \(merit)" : alternative.reason ?? "")
        return row
    }
}
