internal import ArgumentParser
internal import EmulatedEngine
internal import EngineInterface
internal import Foundation
internal import Logging
internal import ReferenceEngine
internal import ServiceSettings
internal import ServingModel
internal import UpstreamEngine
internal import WorkerService
internal import ZeroMQ

/// Which engine a worker runs, and how.
struct EngineOptions: ParsableArguments {
    @Option(
        help: """
            cpu: a real model on this machine; upstream: a server you already run (vLLM, llama.cpp, SGLang, …); \
            plugin:PATH: an engine in a shared library; emulated: no model, the time that a profile says. (default: cpu)
            """
    )
    var engine: String?

    @Option(help: "Hugging Face directory with the model to serve. (default: the small bundled model)")
    var model: String?

    @Option(help: "The name that clients call the model by. (default: the directory's)")
    var modelName: String?

    @Option(help: "Latency profile (JSON): what an emulated engine imitates, and an upstream one begins with.")
    var profile: String?

    @Option(
        help: """
            prefill-priority or chunked: how prefills and decodes share a worker's steps. (default: chunked; \
            prefill-priority for workers of one phase)
            """
    )
    var batching: String?

    @Option(
        help: "Factor on the time of an emulated engine's steps: 0.1 is ten times as fast as the profile. (default: 1)"
    )
    var timeScale: Double?

    @Option(help: "Standard deviation of a random factor on an emulated engine's steps. (default: 0)")
    var noise: Double?

    @Option(
        name: .customLong("load-s"),
        help: "How long an emulated engine takes to be ready, as a real one does to load weights. (default: 0)"
    )
    var loadSeconds: Double?

    @Flag(
        name: .customLong("no-resume"),
        help: "An emulated engine that starts answers over which another worker began."
    )
    var startsOver = false

    @Option(
        help: """
            Tokens that the KV cache holds. (default: 16384 for cpu, a plug-in's own, what the server says for upstream)
            """
    )
    var kvCapacityTokens: Int?

    @Option(
        help: """
            on, off: whether beginnings of prompts stay in the KV cache for queries to come; of an upstream server, whether \
            it keeps them. (default: on for cpu, off for emulated, what the server is known for)
            """
    )
    var prefixCache: String?

    @Option(
        name: .customLong("plugin-option"),
        help: "KEY=VALUE for a plug-in; may be given several times, in the environment with a ; between."
    )
    var pluginOptions: [String] = []

    @OptionGroup var upstream: UpstreamOptions

    /// nil if nothing is said about it.
    func batchingMode() throws -> BatchingMode? {
        try Setting.resolve(batching, "batching").flatMap { BatchingMode(rawValue: $0) }
    }
}

/// An engine that can be made, checked as far as that is possible before its worker starts.
struct EngineChoice: Sendable {
    enum Source: Sendable {
        /// Made by each worker, on its engine's thread.
        case stepping(@Sendable () throws -> any Engine)
        /// One for each worker.
        case streaming([@Sendable (LoopThread?, Logger) -> any StreamingEngine])
    }

    let kind: String
    /// As given; nil leaves it to the worker's role.
    let batching: BatchingMode?
    /// The options that choose this engine in a process of its own; nil for one that can be trusted with this process.
    var processArguments: [String]?
    let source: Source

    /// The worker over this engine.
    ///
    /// - Parameter number: of the worker among those of this process, from 0.
    func worker(_ number: Int, _ configuration: WorkerServiceConfiguration, logger: Logger) -> WorkerService {
        switch source {
        case .stepping(let make):
            WorkerService(configuration: configuration, logger: logger, makeEngine: make)
        case .streaming(let engines):
            WorkerService(
                configuration: configuration,
                logger: logger,
                engine: engines[number](configuration.thread, logger)
            )
        }
    }

    /// Where there is nothing to share a step with, whole prompts are quicker.
    func batching(for role: WorkerRole) -> BatchingMode {
        batching ?? (role == .both ? .chunked : .prefillPriority)
    }

    /// How many workers it is for; nil if for any number.
    var workers: Int? {
        if case .streaming(let engines) = source { engines.count } else { nil }
    }
}

extension EngineOptions {
    /// - Parameter sharedBy: workers of this process that share the machine's processors.
    func choice(sharedBy workers: Int = 1) throws -> EngineChoice {
        let kind = try Setting.resolve(engine, "engine", default: "cpu")
        switch kind {
        case "cpu": return try reference(sharedBy: workers)
        case "emulated": return try emulated()
        case "upstream": return try upstreamChoice()
        default:
            return try plugin(String(kind.dropFirst(Self.pluginPrefix.count)))
        }
    }

    private func reference(sharedBy workers: Int) throws -> EngineChoice {
        var configuration = ReferenceEngineConfiguration()
        configuration.modelName = try Setting.resolve(modelName, "model-name")
        configuration.threads = max(1, ProcessInfo.processInfo.activeProcessorCount / workers)
        configuration.kvCapacityTokens = try Setting.resolve(kvCapacityTokens, "kv-capacity-tokens", default: 16_384)
        if let tokens = configuration.kvCapacityTokens, tokens < 32 {
            let label = Setting.label("kv-capacity-tokens", isGiven: kvCapacityTokens != nil)
            throw ConfigurationFault("\(label) is \(tokens); for this engine it must be at least 32")
        }
        configuration.keepsPrefixes = try keepsPrefixes() ?? true
        let directory = try modelDirectory()
        let batching = try batchingMode()
        let source = EngineChoice.Source.stepping { [configuration] in
            guard let directory else { return try ReferenceEngine(bundled: configuration) }
            return try ReferenceEngine(directory: directory, configuration: configuration)
        }
        return EngineChoice(kind: "cpu", batching: batching, source: source)
    }

    /// nil for the bundled model.
    private func modelDirectory() throws -> String? {
        guard let path = try Setting.resolve(model, "model") else { return nil }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
            let label = Setting.label("model", isGiven: model != nil)
            throw ConfigurationFault(
                "\(label) is '\(path)', which is no directory; it must be one of Hugging Face's form"
            )
        }
        return path
    }

    /// nil if nothing is said about it.
    private func keepsPrefixes() throws -> Bool? {
        let text: String? = try Setting.resolve(prefixCache, "prefix-cache")
        return text.map { $0 == "on" }
    }

    private func upstreamChoice() throws -> EngineChoice {
        let profile = try Setting.resolve(profile, "profile").map { try ProfileFile.read($0) }
        let capacity = try Setting.resolve(kvCapacityTokens, "kv-capacity-tokens")
        let keepsPrefixes = try keepsPrefixes()
        let servedName = try Setting.resolve(modelName, "model-name")
        let engines = try upstream.configurations().map { configuration in
            var configuration = configuration
            configuration.profile = profile
            configuration.kvCapacityTokens = capacity
            configuration.servedName = servedName
            configuration.keepsPrefixes = keepsPrefixes
            return { @Sendable [configuration] (thread: LoopThread?, logger: Logger) -> any StreamingEngine in
                UpstreamEngine(configuration: configuration, thread: thread, logger: logger)
            }
        }
        return EngineChoice(kind: "upstream", batching: try batchingMode(), source: .streaming(engines))
    }

    private func emulated() throws -> EngineChoice {
        guard let path: String = try Setting.resolve(profile, "profile") else {
            throw ValidationError("--engine emulated needs --profile: the latency profile to imitate")
        }
        let profile = try ProfileFile.read(path)
        var configuration = EmulatedEngine.Configuration()
        configuration.timeScale = try Setting.resolve(timeScale, "time-scale", default: 1)
        configuration.relativeNoise = try Setting.resolve(noise, "noise", default: 0)
        configuration.resumesPrefix = try !Setting.flag(startsOver, "no-resume")
        configuration.keepsPrefixes = try keepsPrefixes() ?? false
        let load = try Setting.resolve(loadSeconds, "load-s", default: 0)
        let batching = try batchingMode()
        let source = EngineChoice.Source.stepping { [profile, configuration] in
            if load > 0 { Thread.sleep(forTimeInterval: load) }
            return EmulatedEngine(profile: profile, configuration: configuration)
        }
        return EngineChoice(kind: "emulated", batching: batching, source: source)
    }
}
