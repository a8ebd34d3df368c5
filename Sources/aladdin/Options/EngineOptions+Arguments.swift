extension EngineOptions {
    /// The same options for a worker of its own process; the environment's reach it anyway.
    var arguments: [String] {
        let options: [(name: String, value: String?)] = [
            ("engine", engine), ("model", model), ("model-name", modelName), ("profile", profile),
            ("batching", batching), ("time-scale", timeScale.map { "\($0)" }), ("noise", noise.map { "\($0)" }),
            ("load-s", loadSeconds.map { "\($0)" }), ("kv-capacity-tokens", kvCapacityTokens.map { "\($0)" }),
        ]
        let given = options.flatMap { name, value in value.map { ["--\(name)", $0] } ?? [] }
        return given + (startsOver ? ["--no-resume"] : [])
    }
}
