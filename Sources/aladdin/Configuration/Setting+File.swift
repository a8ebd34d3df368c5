internal import Foundation
internal import ServiceSettings

extension Setting {
    /// Commands that are no services and find one, or its keys, by the same settings.
    private static let askers = ["query", "status", "top", "explain", "bench", "calibrate", "keys"]

    /// The file that a command is to go by: the one of `--config`, else of `ALADDIN_CONFIG`.
    static func configurationPath(_ arguments: [String] = []) -> String? {
        if let path = CommandLineSettings(arguments)["config"] { return path }
        let path = ProcessInfo.processInfo.environment["ALADDIN_CONFIG"] ?? ""
        return path.isEmpty ? nil : path
    }

    /// Where a command's settings come from.
    ///
    /// - Parameter arguments: of the whole program.
    /// - Throws: `ConfigurationFaults`, all that is wrong with what the command would heed.
    static func sources(for arguments: [String]) throws -> SettingSources {
        var sources = SettingSources(environment: ProcessInfo.processInfo.environment)
        guard let command = arguments.first, !arguments.contains("--help"), !arguments.contains("-h") else {
            return sources
        }
        let isService = SettingTable.commands.contains(command)
        // What is simulated does not depend on how a service is set up.
        guard isService || askers.contains(command) else { return SettingSources(environment: [:]) }
        let own = Array(arguments.dropFirst())
        if let path = configurationPath(own) { sources.file = try ConfigurationFile.load(path) }
        let faults = isService ? sources.faults(of: command, own) : sources.file?.faults ?? []
        guard faults.isEmpty else { throw ConfigurationFaults(faults) }
        return sources
    }
}
