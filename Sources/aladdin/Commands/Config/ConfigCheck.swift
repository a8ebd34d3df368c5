internal import AccessControl
internal import ArgumentParser
internal import Foundation
internal import ServiceSettings

struct ConfigCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Says all that is wrong with a configuration file and the environment."
    )

    @Argument(help: "The file. (default: what ALADDIN_CONFIG says)")
    var file: String?

    func run() async throws {
        var sources = SettingSources(environment: ProcessInfo.processInfo.environment)
        if let path = file ?? Setting.configurationPath() { sources.file = try ConfigurationFile.load(path) }
        var faults: [ConfigurationFault] = []
        for fault in SettingTable.commands.flatMap({ sources.faults(of: $0) }) where !faults.contains(fault) {
            faults.append(fault)
        }
        if faults.isEmpty { faults = Setting.$sources.withValue(sources) { Self.contradictions() } }
        for variable in sources.strangeVariables {
            Terminal.complain("warning: \(variable) is no setting; `aladdin config show` lists those there are")
        }
        guard faults.isEmpty else { throw ConfigurationFaults(faults) }
        guard let file = sources.file else {
            Terminal.write("the environment is right\n")
            return
        }
        let count = file.entries.count
        Terminal.write("\(file.path) is right: \(count) setting\(count == 1 ? "" : "s")\n")
    }

    /// What is wrong with settings together; nothing is started for it.
    private static func contradictions() -> [ConfigurationFault] {
        var faults: [ConfigurationFault] = []
        func check(_ body: () throws -> Void) {
            do { try body() } catch { faults.append(ConfigurationFault(Aladdin.message(for: error))) }
        }
        guard let up = try? Up.parse([]), let gateway = try? GatewayCommand.parse([]) else { return [] }
        check { _ = try up.scaling.limits() }
        check { _ = try up.broker.objective.objective() }
        check { _ = try gateway.gateway.identity() }
        if Setting.text("engine") != nil { check { _ = try up.engine.choice() } }
        if Setting.text("server-key") != nil { check { _ = try gateway.key.keys(for: .frontend) } }
        return faults
    }
}
