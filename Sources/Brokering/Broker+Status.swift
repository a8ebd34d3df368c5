internal import RecordTables
internal import ServingModel

extension Broker {
    package func model(_ name: String) -> ModelRecord? {
        models[name]
    }

    /// The kind of engine behind a model: its workers' one kind, or `mixed`.
    package func engine(of model: String) -> String {
        var kind = ""
        for id in workerOrder {
            guard let joined = workers[id]?.joined, joined.profile.model == model else { continue }
            if kind.isEmpty { kind = joined.engine } else if kind != joined.engine { return "mixed" }
        }
        return kind
    }
}
