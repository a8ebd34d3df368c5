internal import Scheduling
internal import ServingModel
internal import Simulation

/// Coding agents as closed loops: a call is sent when the answer before it has been worked on.
struct AgentSessions: Study {
    static let name = "agent-sessions"
    private static let profile = "p8"
    static let objective = ServiceLevelObjective(
        timeToFirstToken: .seconds(10),
        averageTokenTime: .milliseconds(50)
    )
    /// Sessions begin within so many seconds.
    private static let beginnings = 1200.0

    struct Finding: Codable, Sendable {
        var workers: Int
        var sessions: Int
        var figures: RunFigures
        /// Time from a session's first call to its last token, summed, over what it would be without waiting.
        var stretch: Double
    }

    let data: DataFolder

    private func policies(_ scope: Scope) -> [ComparedPolicy] {
        scope == .full ? [.aladdin, .paper, .roundRobin, .jsq, ComparedPolicy.all[6]] : [.aladdin, .jsq]
    }

    private func copies(_ scope: Scope) -> Int { scope == .full ? 12 : 3 }

    func questions(_ scope: Scope) throws -> [Question<Finding>] {
        policies(scope).flatMap { policy in
            [0.7, 0.9].map { utilisation in
                Question(key(utilisation, policy)) { try find(utilisation, policy, scope) }
            }
        }
    }

    private func key(_ utilisation: Double, _ policy: ComparedPolicy) -> QuestionKey {
        QuestionKey("load \(utilisation.plain)", policy: policy.title)
    }

    private func find(_ utilisation: Double, _ policy: ComparedPolicy, _ scope: Scope) throws -> Finding {
        let profile = try data.profile(Self.profile)
        let trace = try data.trace("agent_swebench.csv")
        let runs = try scope.seeds.map { seed in
            let workload = Self.workload(trace, profile, copies: copies(scope), seed: seed)
            let workers = Self.workers(workload.queries, profile, utilisation)
            let run = ClusterRun(
                profiles: Array(repeating: profile, count: workers),
                policy: policy.name,
                configuration: .init(mode: .prefillPriority)
            )
            return (try run.run(workload), workers)
        }
        let workers = runs.map(\.1).max() ?? 0
        let stretches = runs.map { Self.stretch($0.0, profile) }
        return Finding(
            workers: workers,
            sessions: 46 * copies(scope),
            figures: RunFigures(runs.map(\.0), workers: workers),
            stretch: stretches.reduce(0, +) / Double(max(stretches.count, 1))
        )
    }

    /// Copies of the sessions that begin at random times.
    ///
    /// - Parameter commonTokens: with which the prompts of all sessions begin.
    static func workload(
        _ trace: Trace,
        _ profile: LatencyProfile,
        copies: Int,
        commonTokens: Int = 0,
        objective: ServiceLevelObjective = Self.objective,
        seed: UInt64
    ) -> StudyWorkload {
        var generator = SeededGenerator(seed: seed)
        var copied: [SessionScript] = []
        var next = 0
        for copy in 0..<copies {
            var renamed = trace
            for index in renamed.entries.indices {
                renamed.entries[index].session = renamed.entries[index].session.map { $0 + 1000 * copy }
            }
            // What a hosted service may have taken: what is left of a gap is the agent's own time.
            let scripts = renamed.withSessionBlocks(commonTokens: commonTokens)
                .sessions { .seconds(rounding: 1 + 0.015 * Double($0.outputTokens)) }
            for var script in scripts {
                script.start = .seconds(rounding: Double.random(in: 0..<beginnings, using: &generator))
                for index in script.calls.indices {
                    script.calls[index].index = next
                    next += 1
                }
                copied.append(script)
            }
        }
        copied.sort { $0.start < $1.start }
        next = 0
        for place in copied.indices {
            for index in copied[place].calls.indices {
                copied[place].calls[index].index = next
                next += 1
            }
        }
        let queries = SimulatedQuery.closedLoop(copied) { _ in objective }
        var history = LengthHistory()
        for entry in trace.entries {
            history.observe(outputTokens: entry.outputTokens, model: profile.model, inputTokens: entry.inputTokens)
        }
        return StudyWorkload(seed: seed, queries: queries, lengths: history, seconds: 3600, warmUpSeconds: 0)
    }

    /// As many as the calls need that would come in an hour if nobody waited.
    private static func workers(
        _ queries: [SimulatedQuery],
        _ profile: LatencyProfile,
        _ utilisation: Double
    ) -> Int {
        let sizes = queries.map { QuerySize(inputTokens: $0.inputTokens, outputTokens: $0.outputTokens) }
        let capacity = MeanFieldCapacity(profile: profile, averageTokenTime: objective.averageTokenTime)
        let meanField = capacity.workers(rate: Double(queries.count) / 3600, queries: sizes)
        return max(1, Int((meanField / utilisation).rounded(.up)))
    }

    private static func stretch(_ run: SimulationRun, _ profile: LatencyProfile) -> Double {
        var waited = 0.0
        var alone = 0.0
        for (query, record) in zip(run.workload.queries, run.records) {
            guard let finish = record.finish else { continue }
            let inputs = query.inputTokens
            let least = UnloadedLatency(profile: profile, inputTokens: inputs, outputTokens: query.outputTokens)
            waited += (finish - query.arrival).seconds
            alone += least.timeToFirstToken.seconds
            alone += (least.averageTokenTime?.seconds ?? 0) * Double(query.outputTokens - 1)
        }
        return alone > 0 ? waited / alone : .infinity
    }

    func chapter(_ findings: Findings<Finding>) throws -> Chapter {
        var chapter = Chapter("Agents in closed loops")
        chapter.text(
            """
            Sessions of coding agents (`agent_swebench.csv`): prompts of 27,000 tokens on average, one call after the other.
            A slow service is asked less, so the rate is a result, not given. Prompts are computed anew for each call; what
            keeping their common beginnings is worth has a section of its own. TTFT 10 s, ATGT 50 ms, an 8B
            model.
            """
        )
        let rows = policies(findings.scope).flatMap { policy in
            [0.7, 0.9].compactMap { utilisation -> [Cell]? in
                guard let finding = findings[key(utilisation, policy)] else { return nil }
                return [
                    Cell("\(policy.title), \(finding.workers) workers"), .count(finding.sessions),
                    .share(finding.figures.attainment), .number(finding.figures.firstToken.p50, decimals: 2),
                    .number(finding.figures.firstToken.p99, decimals: 2), .number(finding.stretch, decimals: 2),
                ]
            }
        }
        chapter.table(
            ["", "sessions", "attainment", "TTFT p50, s", "p99, s", "time in service over that of a lone query"],
            rows
        )
        chapter.provenance(findings)
        return chapter
    }
}
