extension SettingTable {
    static let general: [SettingDescription] = [
        endpoint("frontend-endpoint", 5550), endpoint("worker-endpoint", 5551), endpoint("scheduler-endpoint", 5552),
        endpoint("admin-endpoint", 5553),
        setting("broker", .hosts, "", peers),
        setting("shards", .shards, "", brokers + peers),
        setting("shard-by", .choice(["model", "tenant"]), "model", brokers + ["gateway"]),
        setting("shard-pins", .pins, "", brokers + ["gateway"], isReloadable: true),
        setting("shard", .text("the name of one of the shards"), "", brokers + peers),
        setting(
            "log-level",
            .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
            "info",
            commands,
            isReloadable: true
        ),
        setting("keys", .text("a directory made by `aladdin keys init`"), "", ["up", "broker", "gateway"]),
        setting("insecure-bind", .flag, "false", ["up", "broker", "gateway"]),
        setting(
            "key",
            .text("a file made by `aladdin keys new`"),
            "",
            peers
        ),
        setting("server-key", .curveKey, "", peers),
    ]

    static let broker: [SettingDescription] = [
        setting("slo-ttft-ms", milliseconds, "2000", brokers, isReloadable: true),
        setting("slo-atgt-ms", milliseconds, "100", brokers, isReloadable: true),
        setting("slo-classes", .classes, "", brokers, isReloadable: true),
        setting("admission", .choice(["off", "objectives", "all"]), "objectives", brokers, isReloadable: true),
        setting("max-queries", .integer(1...10_000_000), "100000", brokers, isReloadable: true),
        setting("max-session-queries", .integer(1...1_000_000), "16384", brokers, isReloadable: true),
        setting("max-output-tokens", .integer(1...10_000_000), "131072", brokers, isReloadable: true),
        setting("max-attempts", .integer(1...1000), "3", brokers),
        setting("poison-after", .integer(1...1000), "2", brokers),
        setting("engine-timeout-s", .number(0...9e9, .positive, of: "seconds"), "120", brokers, isReloadable: true),
        setting("data", .text("a directory"), "", brokers),
        setting("journal", .journal, "sqlite", brokers),
        setting("leader-lease-s", .number(1...3600, of: "seconds"), "5", brokers),
        setting("journal-accept-loss", .flag, "false", brokers),
        setting("result-retention-h", .number(0...87_600, .positive, of: "hours"), "24", brokers),
        setting("max-results", .integer(0 ... .max), "1000000", brokers),
        setting("journal-gib", .number(0...1_048_576, .positive, of: "GiB"), "8", brokers),
    ]

    static let gateway: [SettingDescription] = [
        setting("http", .address, "127.0.0.1:8080", ["up", "gateway"]),
        setting("tls-certificate", .text("a PEM file"), "", ["up", "gateway"]),
        setting("tls-key", .text("a PEM file"), "", ["up", "gateway"]),
        setting("admin-key", .text("a file made by `aladdin keys new`"), "", ["gateway"]),
    ]

    static let tracing: [SettingDescription] = [
        setting("trace-file", .text("a file"), "", traced),
        setting("otlp-endpoint", .url(), "", traced),
        setting("trace-sample-ratio", .number(0...1, of: "parts"), "1", traced, isReloadable: false),
    ]

    private static let peers = ["scheduler", "worker", "gateway", "autoscale"]
    private static let traced = ["up", "broker", "gateway"]

    static let scheduler: [SettingDescription] = [
        setting("policy", .policy, "aladdin", schedulers, isReloadable: true),
        setting("scaling", .scaling, "forecast", schedulers, isReloadable: true),
        setting("min-workers", .integer(0...10_000), "1", schedulers + ["autoscale"], isReloadable: true),
        setting("max-workers", .integer(0...10_000), "", schedulers + ["autoscale"], isReloadable: true),
        setting("startup-s", .number(0...86_400, of: "seconds"), "30", schedulers, isReloadable: true),
        setting("standby", .flag, "false", ["scheduler"]),
    ]

    private static let brokers = ["up", "broker"]
    private static let schedulers = ["up", "scheduler"]
    private static let milliseconds = SettingForm.number(0...9e12, .positive, of: "milliseconds")

    private static func endpoint(_ name: String, _ port: Int) -> SettingDescription {
        setting(name, .endpoint, "tcp://127.0.0.1:\(port)", commands)
    }

    static func setting(
        _ name: String,
        _ form: SettingForm,
        _ standard: String,
        _ commands: [String],
        isReloadable: Bool = false,
        isSecret: Bool = false
    ) -> SettingDescription {
        SettingDescription(
            name: name,
            form: form,
            standard: standard,
            commands: commands,
            isReloadable: isReloadable,
            isSecret: isSecret
        )
    }
}
