internal import ArgumentParser
internal import Foundation
internal import ServiceSettings

struct ConfigShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows what a command would go by, and who says so.",
        discussion: "aladdin config show --json up --workers 3: the options of `up` come last."
    )

    @Option(help: "The configuration file. (default: what ALADDIN_CONFIG says)")
    var config: String?

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(parsing: .captureForPassthrough, help: "The command and its options. (default: settings of all commands)")
    var command: [String] = []

    func run() async throws {
        var sources = SettingSources(environment: ProcessInfo.processInfo.environment)
        let arguments = Array(command.dropFirst())
        if let name = command.first, !SettingTable.commands.contains(name) {
            throw ValidationError(
                "'\(name)' has no settings; it must be one of: \(SettingTable.commands.joined(separator: ", "))"
            )
        }
        let path = CommandLineSettings(arguments)["config"] ?? config ?? Setting.configurationPath()
        if let path { sources.file = try ConfigurationFile.load(path) }
        let commands = command.first.map { [$0] } ?? SettingTable.commands
        for fault in Set(commands.flatMap { sources.faults(of: $0, arguments) }).map(\.description).sorted() {
            Terminal.complain(fault)
        }
        let settings = SettingTable.all.filter { !Set($0.commands).isDisjoint(with: commands) }
        Terminal.write(json ? try Self.object(settings, sources, arguments) : Self.table(settings, sources, arguments))
        Terminal.write("\n")
    }

    private static func table(
        _ settings: [SettingDescription],
        _ sources: SettingSources,
        _ arguments: [String]
    ) -> String {
        let rows = settings.map { setting in
            let found = sources.effective(setting, arguments)
            return [setting.name, shown(setting, found.text), found.origin.words]
        }
        let table = [["SETTING", "VALUE", "SAID BY"]] + rows
        let widths = (0..<2).map { column in table.map { $0[column].count }.max() ?? 0 }
        return table.map { row in
            let padded = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return padded.joined(separator: "  ") + "  " + row[2]
        }.joined(separator: "\n")
    }

    private static func object(
        _ settings: [SettingDescription],
        _ sources: SettingSources,
        _ arguments: [String]
    ) throws -> String {
        var object: [String: Any] = [:]
        for setting in settings {
            let found = sources.effective(setting, arguments)
            object[setting.name] = [
                "value": shown(setting, found.text), "origin": origin(found.origin), "reloads": setting.isReloadable,
                "environment": setting.variable,
            ]
        }
        return try Terminal.json(object)
    }

    private static func shown(_ setting: SettingDescription, _ text: String) -> String {
        setting.isSecret && !text.isEmpty ? "(not shown)" : setting.form.shown(text)
    }

    private static func origin(_ origin: SettingOrigin) -> [String: Any] {
        switch origin {
        case .commandLine: ["kind": "command-line"]
        case .environment: ["kind": "environment"]
        case .file(let path, let line): ["kind": "file", "file": path, "line": line]
        case .standard: ["kind": "default"]
        }
    }
}
