internal import Batching
internal import Foundation
internal import Reports
internal import Scheduling
internal import ServingModel

/// What the runs beyond the engine's capacity say of the published coefficients, and what that is worth in the others.
///
/// Two numbers are learnt from the runs at 3 and 4 queries a second: milliseconds that a decode step takes longer for each
/// query in it, and by how much prefills are quicker. The runs that are then simulated have no part in it.
struct EngineCorrection: Sendable {
    var perQueryMilliseconds: Double
    var prefillShare: Double

    private static let extras = stride(from: 0.0, through: 0.6, by: 0.05)
    private static let shares = stride(from: 0.7, through: 1.0, by: 0.05)

    /// The two that leave the least mean difference between the logarithms of times, measured and simulated.
    init(_ runs: [MeasuredRun], _ profile: LatencyProfile) throws {
        var best = (error: Double.infinity, extra: 0.0, share: 1.0)
        for extra in Self.extras {
            for share in Self.shares {
                let candidate = Self.corrected(profile, extra, share)
                let error = try runs.reduce(0) { try $0 + Self.error(of: candidate, in: $1) }
                if error < best.error { best = (error, extra, share) }
            }
        }
        (perQueryMilliseconds, prefillShare) = (best.extra, best.share)
    }

    func applied(to profile: LatencyProfile) -> LatencyProfile {
        Self.corrected(profile, perQueryMilliseconds, prefillShare)
    }

    private static func corrected(_ profile: LatencyProfile, _ extra: Double, _ share: Double) -> LatencyProfile {
        var profile = profile
        profile.decode.c2Milliseconds += extra
        profile.prefill.k1Milliseconds *= share
        profile.prefill.k1qMilliseconds *= share
        return profile
    }

    private static func error(of profile: LatencyProfile, in run: MeasuredRun) throws -> Double {
        let simulated = try EngineSimulation(run, profile, .prefillPriority).times
        var sum = 0.0
        var count = 0.0
        for (real, ours) in zip(run.queries, simulated) {
            let pairs = [(real.firstToken, ours.firstToken), (real.tokenTime ?? 0, ours.tokenTime ?? 0)]
            for (real, ours) in pairs where real > 0 && ours > 0 {
                sum += abs(log(ours / real))
                count += 1
            }
        }
        return sum / max(count, 1)
    }
}

extension EngineRuns {
    static func correctedKey(_ run: String) -> QuestionKey { QuestionKey(run, "corrected") }

    /// The light runs again, with what the heavy ones teach.
    func corrections(_ runs: [MeasuredRun]) -> [Question<EngineRunFinding>] {
        let data = data
        let teachers = runs.filter { Self.heavy.contains($0.name) }
        return runs.filter { Self.light.contains($0.name) }.map { run in
            Question(Self.correctedKey(run.name)) {
                let published = try Self.publishedProfile(data)
                let correction = try EngineCorrection(teachers, published)
                let profile = correction.applied(to: published)
                let learnt = [
                    DecimalText.fixed(correction.perQueryMilliseconds, decimals: 2),
                    DecimalText.fixed(correction.prefillShare, decimals: 2),
                ]
                let simulation = try EngineSimulation(run, profile, .prefillPriority)
                return EngineRunFinding(run, profile, simulation, fit: learnt)
            }
        }
    }

    func describeCorrections(_ findings: Findings<EngineRunFinding>, _ chapter: inout Chapter) {
        let found = Self.light.compactMap { run in findings[Self.correctedKey(run)].map { (run, $0) } }
        guard let learnt = found.first?.1.fit, learnt.count == 2 else { return }
        let rows = found.map { run, finding -> [Cell] in
            let differences = medianDifferences(finding)
            return [Cell("`\(run)`"), .difference(differences.first), .difference(differences.pace)]
        }
        chapter.text(
            """
            How much of it is the coefficients', and how much the model's? Two numbers were learnt from the runs at 3 and 4 queries
            a second alone: \(learnt[0]) ms more a step for each query in it, and prefills of \(learnt[1]) of the published
            time per token. With these the other runs, which had no part in it, differ by:
            """
        )
        chapter.table(["run", "TTFT p50", "token time p50"], rows)
        let within = found.map { medianDifferences($0.1) }
        chapter.text(
            """
            Token time then keeps its limit in \(within.count { abs($0.pace ?? 1) <= 0.25 }) of \(within.count) runs, TTFT in
            \(within.count { abs($0.first ?? 1) <= 0.15 }). What is left is in the two runs at 2 queries a second, whose machine
            was slower in everything: the form of the model fits, and coefficients have to be those of the machine that serves.
            """
        )
    }

    func medianDifferences(_ finding: EngineRunFinding) -> (first: Double?, pace: Double?) {
        (
            relative(finding.firstTokens(finding.simulated).median, finding.firstTokens(finding.measured).median),
            relative(finding.tokenTimes(finding.simulated).median, finding.tokenTimes(finding.measured).median)
        )
    }
}
