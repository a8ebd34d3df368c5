internal import Messages
internal import ServingModel

extension ClusterStatus {
    /// Several shards as one cluster, for a page that shows them together.
    ///
    /// Everything that is counted is added up, and of times the worst stands for all. Models and workers stay apart: a name
    /// that more than one shard has gets the shard's in brackets.
    ///
    /// - Parameter shards: at least one.
    init(shards: [(shard: String, status: ClusterStatus)]) {
        self.init()
        let statuses = shards.map(\.status)
        broker = statuses.map { String($0.broker.prefix(8)) }.joined(separator: "+")
        version = Self.distinct(statuses.map(\.version))
        uptime = statuses.map(\.uptime).min() ?? .zero
        policy = Self.distinct(statuses.map(\.policy).filter { !$0.isEmpty })
        decisions = statuses.reduce(0) { $0 + $1.decisions }
        decisionP50Microseconds = statuses.map(\.decisionP50Microseconds).max() ?? 0
        decisionP99Microseconds = statuses.map(\.decisionP99Microseconds).max() ?? 0
        frontendSessions = statuses.reduce(0) { $0 + $1.frontendSessions }
        predictions = PredictionErrors(together: statuses.map(\.predictions))
        objective = statuses.first?.objective
        let models = Set(Self.repeated(statuses.flatMap { $0.models.map(\.model) }))
        let workers = Set(Self.repeated(statuses.flatMap { $0.workers.map(\.name) }))
        for (shard, status) in shards {
            func apart(_ name: String, _ repeated: Set<String>) -> String {
                repeated.contains(name) ? "\(name) (\(shard))" : name
            }
            for var model in status.models {
                model.model = apart(model.model, models)
                self.models.append(model)
            }
            for var worker in status.workers {
                worker.name = apart(worker.name, workers)
                worker.profile.model = apart(worker.profile.model, models)
                self.workers.append(worker)
            }
            for var fleet in status.fleets {
                fleet.model = apart(fleet.model, models)
                fleets.append(fleet)
            }
        }
    }

    private static func distinct(_ words: [String]) -> String {
        words.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }.joined(separator: ", ")
    }

    private static func repeated(_ words: [String]) -> [String] {
        var seen: Set<String> = []
        return words.filter { !seen.insert($0).inserted }
    }
}

extension PredictionErrors {
    /// Averages over several, each as often as it was compared.
    fileprivate init(together parts: [PredictionErrors]) {
        self.init()
        timeToFirstToken = Average(together: parts.map(\.timeToFirstToken))
        tokenTime = Average(together: parts.map(\.tokenTime))
    }
}

extension PredictionErrors.Average {
    fileprivate init(together parts: [Self]) {
        let count = parts.reduce(0) { $0 + $1.count }
        let share = { (part: Self) in count == 0 ? 0 : Double(part.count) / Double(count) }
        self.init(
            magnitude: parts.reduce(0) { $0 + $1.magnitude * share($1) },
            bias: parts.reduce(0) { $0 + $1.bias * share($1) },
            count: count
        )
    }
}
