internal import ArgumentParser
internal import Foundation
internal import PluginEngine
internal import ServingModel

extension EngineOptions {
    static let pluginPrefix = "plugin:"

    /// An engine in a shared library; paths are made absolute, so that they mean the same in another process.
    func plugin(_ path: String) throws -> EngineChoice {
        let path = try existing(path, "--engine plugin:PATH", isDirectory: false)
        var configuration = PluginEngineConfiguration()
        configuration.modelName = try Setting.resolve(modelName, "model-name")
        configuration.kvCapacityTokens = try Setting.resolve(kvCapacityTokens, "kv-capacity-tokens")
        if let directory: String = try Setting.resolve(model, "model") {
            configuration.modelDirectory = try existing(directory, "--model", isDirectory: true)
        }
        configuration.options = try givenPluginOptions().map { try Self.option($0) }
        let batching = try batchingMode()

        var arguments = ["--engine", Self.pluginPrefix + path]
        if let batching { arguments += ["--batching", batching.rawValue] }
        if let name = configuration.modelName { arguments += ["--model-name", name] }
        if let directory = configuration.modelDirectory { arguments += ["--model", directory] }
        if let tokens = configuration.kvCapacityTokens { arguments += ["--kv-capacity-tokens", "\(tokens)"] }
        for option in configuration.options { arguments += ["--plugin-option", "\(option.key)=\(option.value)"] }
        let source = EngineChoice.Source.stepping { [configuration] in
            try PluginEngine(path: path, configuration: configuration)
        }
        return EngineChoice(kind: "plugin", batching: batching, processArguments: arguments, source: source)
    }

    private func givenPluginOptions() -> [String] {
        guard pluginOptions.isEmpty else { return pluginOptions }
        return Setting.text("plugin-option")?.split(separator: ";").map(String.init) ?? []
    }

    private static func option(_ text: String) throws -> PluginEngineConfiguration.Option {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw ValidationError("--plugin-option is '\(text)'; it must be KEY=VALUE")
        }
        return PluginEngineConfiguration.Option(key: String(parts[0]), value: String(parts[1]))
    }

    private func existing(_ path: String, _ flag: String, isDirectory: Bool) throws -> String {
        guard !path.isEmpty else { throw ValidationError("\(flag) names no \(isDirectory ? "directory" : "file")") }
        let url = URL(fileURLWithPath: path).standardizedFileURL
        var found: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &found), found.boolValue == isDirectory
        else {
            throw ValidationError("\(flag): there is no \(isDirectory ? "directory" : "file") \(url.path)")
        }
        return url.path
    }
}
