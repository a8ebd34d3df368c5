internal import ServiceSettings

extension EngineOptions {
    /// The same options for a worker of its own process, wherever they come from: it gets no environment and no file.
    var arguments: [String] {
        let options: [(name: String, value: String?)] = [
            ("engine", engine), ("model", model), ("model-name", modelName), ("profile", profile),
            ("batching", batching), ("time-scale", timeScale.map { "\($0)" }), ("noise", noise.map { "\($0)" }),
            ("load-s", loadSeconds.map { "\($0)" }), ("kv-capacity-tokens", kvCapacityTokens.map { "\($0)" }),
            ("prefix-cache", prefixCache),
        ]
        let given = options.flatMap { name, value in (value ?? Setting.text(name)).map { ["--\(name)", $0] } ?? [] }
        let startsOver = (try? Setting.flag(startsOver, "no-resume")) ?? startsOver
        return given + (startsOver ? ["--no-resume"] : [])
    }
}
