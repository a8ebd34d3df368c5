extension SettingTable {
    static let worker: [SettingDescription] = [
        setting("workers", .integer(1...1024), "2", ["up"]),
        setting("prefill-workers", .integer(0...1024), "0", ["up"]),
        setting("role-threads", .choice(["auto", "one", "two", "each"]), "auto", ["up"]),
        setting("busy-poll-us", .integer(0...100_000), "", ["up", "broker", "scheduler", "worker"]),
        setting("autoscale", .flag, "false", ["up"]),
        setting("name", .text("a name"), "", ["worker"]),
        setting("drain-s", .number(0...86_400, of: "seconds"), "10", ["worker"]),
        setting("role", .choice(["prefill", "decode", "both"]), "both", ["worker"]),
        setting("kv-exchange", .text("a directory"), "", workers),
        setting("kv-exchange-mib", .integer(1...(1 << 30)), "1024", workers),
        setting("engine", .engine, "cpu", workers),
        setting("model", .text("a directory of Hugging Face's form"), "", workers),
        setting("model-name", .text("a name"), "", workers),
        setting("profile", .text("a file with a latency profile"), "", workers),
        setting("batching", .choice(["prefill-priority", "chunked"]), "", workers),
        setting("time-scale", .number(0 ... .infinity, of: "times"), "1", workers),
        setting("noise", .number(0...1, of: "times"), "0", workers),
        setting("load-s", .number(0...86_400, of: "seconds"), "0", workers),
        setting("no-resume", .flag, "false", workers),
        setting("kv-capacity-tokens", .integer(1 ... .max), "", workers),
        setting("prefix-cache", .choice(["on", "off"]), "", workers),
        setting("plugin-option", .pairs, "", workers),
    ]

    static let upstream: [SettingDescription] = [
        setting("upstream", .url(isList: true), "", workers),
        setting("upstream-model", .text("a model of the server"), "", workers),
        setting("upstream-api-key-file", .text("a file with an API key"), "", workers),
        setting("upstream-api-key", .text("an API key"), "", workers, isSecret: true),
        setting("upstream-timeout-s", .integer(1...Int(Int32.max)), "100", workers),
        setting("max-sequences", .integer(1...Int(Int32.max)), "", workers),
        setting("context-length", .integer(1...Int(Int32.max)), "", workers),
    ]

    static let autoscale: [SettingDescription] = [
        setting("actuator", .choice(["compose", "kubernetes", "command"]), "", ["autoscale"]),
        setting("for-model", .text("a model"), "", ["autoscale"]),
        setting("for-role", .choice(["prefill", "decode", "both"]), "both", ["autoscale"]),
        setting("service", .text("a Compose service"), "worker", ["autoscale"]),
        setting("compose-file", .text("files, with a comma between"), "", ["autoscale"]),
        setting("compose-project", .text("a Compose project"), "", ["autoscale"]),
        setting("workload", .workload, "deployments/worker", ["autoscale"]),
        setting("namespace", .text("a namespace"), "", ["autoscale"]),
        setting("kubernetes-api", .url(), "", ["autoscale"]),
        setting("command", .text("a command for /bin/sh"), "", ["autoscale"]),
        setting("cooldown-s", .number(0...86_400, of: "seconds"), "30", ["autoscale"], isReloadable: true),
        setting("dry-run", .flag, "false", ["autoscale"]),
        setting("decision-log", .text("a file"), "", ["up", "autoscale"]),
    ]

    private static let workers = ["up", "worker"]
}
