internal import Foundation
internal import ServiceSettings

extension Setting {
    /// Commands that are no services and ask one, by the same settings of where it is.
    private static let askers = ["query", "status", "top", "explain", "bench", "calibrate"]

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
        guard isService || askers.contains(command) else { return sources }
        let own = Array(arguments.dropFirst())
        if let path = configurationPath(own) { sources.file = try ConfigurationFile.load(path) }
        let faults = isService ? sources.faults(of: command, own) : sources.file?.faults ?? []
        guard faults.isEmpty else { throw ConfigurationFaults(faults) }
        return sources
    }
}
