internal import ServingModel
internal import Simulation

/// What it costs if what the scheduler believes is wrong, or if the promises are other ones.
struct Sensitivity: Study {
    static let name = "sensitivity"

    let data: DataFolder

    private func wrongBeliefs() throws -> [StudyVariant] {
        let base = StudyVariant("all is as believed", try data.setting("S70"))
        var variants = [base]
        for error in [-0.25, -0.1, 0.1, 0.25] {
            let text = "model \(Cell.difference(error).text)"
            variants.append(
                base.with {
                    $0.title = text + ", does not learn"
                    $0.modelError = error
                    $0.learnsStepTimes = false
                }
            )
        }
        for error in [-0.25, 0.25] {
            let text = "model \(Cell.difference(error).text), learns"
            variants.append(
                base.with {
                    $0.title = text
                    $0.modelError = error
                }
            )
        }
        for factor in [0.5, 2] {
            variants.append(
                base.with {
                    $0.title = "history with lengths × \(factor.plain)"
                    $0.lengths = .predicted(factor: factor)
                }
            )
        }
        variants.append(
            base.with {
                $0.title = "50 ms from decision to worker"
                $0.dispatchDelay = .milliseconds(50)
            }
        )
        return variants
    }

    private func promises(_ scope: Scope) throws -> [[StudyVariant]] {
        let setting = try data.setting("S70")
        let policies = scope == .full ? [ComparedPolicy.aladdin, .paper, .roundRobin, .jsq] : [.aladdin, .roundRobin]
        return [500.0, 1000, 2000, 4000].map { limit in
            var changed = setting
            changed.sloTtftMs = limit
            return policies.map { policy in
                StudyVariant(changed, policy).with { $0.title = "TTFT \(limit.plain) ms \(policy.title)" }
            }
        }
    }

    func questions(_ scope: Scope) throws -> [Question<MinimumFinding>] {
        let data = data
        return try (wrongBeliefs() + promises(scope).flatMap(\.self)).map { variant in
            Question(key(variant)) { try variant.minimum(data, scope) }
        }
    }

    private func key(_ variant: StudyVariant) -> QuestionKey {
        QuestionKey(variant.title, policy: variant.policy)
    }

    func chapter(_ findings: Findings<MinimumFinding>) throws -> Chapter {
        var chapter = Chapter("When beliefs are wrong, and when promises change")
        chapter.text(
            """
            S70, prefill-priority, workers for 99 % under `aladdin`. A model that is 25 % off believes every step to take
            25 % more, or less, than it does.
            """
        )
        let rows = try wrongBeliefs().map { variant in
            [Cell(variant.title), findings[key(variant)]?.cell(at: 0.99) ?? .count(nil)]
        }
        chapter.table(["", "workers"], rows)
        chapter.text(
            """
            Slack before the first token is what hold and dispatch spends: the longer a query may wait, the fewer workers
            are needed. Rules that place at once cannot use it.
            """
        )
        let promises = try promises(findings.scope)
        if let titles = promises.first?.map(\.policy) {
            let limits = [500, 1000, 2000, 4000]
            let rows = zip(limits, promises).map { limit, variants in
                [Cell("TTFT \(limit) ms")] + variants.map { findings[key($0)]?.cell(at: 0.99) ?? .count(nil) }
            }
            chapter.table([""] + titles, rows)
        }
        chapter.provenance(findings)
        return chapter
    }
}
