/// Where settings come from when the command line is silent: the environment, else a file.
package struct SettingSources: Sendable {
    package var file: ConfigurationFile?
    package var environment: [String: String]

    package init(file: ConfigurationFile? = nil, environment: [String: String]) {
        self.file = file
        self.environment = environment
    }

    package struct Found: Hashable, Sendable {
        package var text: String
        package var origin: SettingOrigin

        package init(text: String, origin: SettingOrigin) {
            self.text = text
            self.origin = origin
        }
    }

    /// An empty variable says nothing.
    package subscript(name: String) -> Found? {
        if let text = environment[SettingDescription.variable(name)], !text.isEmpty {
            return Found(text: text, origin: .environment)
        }
        guard let file, let entry = file.entries[name] else { return nil }
        return Found(text: entry.text, origin: .file(path: file.path, line: entry.line))
    }

    /// What a command goes by, and who says so.
    ///
    /// - Parameter arguments: the command's own, as typed.
    package func effective(_ setting: SettingDescription, _ arguments: [String] = []) -> Found {
        CommandLineSettings(arguments)[setting].map { Found(text: $0, origin: .commandLine) }
            ?? self[setting.name] ?? Found(text: setting.standard, origin: .standard)
    }

    /// All that is wrong with what a command will heed: in the file, the environment and on the command line.
    package func faults(of command: String, _ arguments: [String] = []) -> [ConfigurationFault] {
        var faults = file?.faults ?? []
        let line = CommandLineSettings(arguments)
        for setting in SettingTable.all where setting.commands.contains(command) {
            let given = line[setting].map { Found(text: $0, origin: .commandLine) }
            guard let found = given ?? self[setting.name] else { continue }
            if case .file = found.origin { continue }
            if let expectation = setting.form.expectation(unmetBy: found.text) {
                faults.append(ConfigurationFault(setting, found.text, found.origin, expectation))
            }
        }
        return faults
    }

    /// Variables that look like settings and are none.
    package var strangeVariables: [String] {
        let known = Set(
            SettingTable.all.map(\.variable) + ["CONFIG", "API_KEY", "FRONTEND_KEY", "IMAGE"].map { "ALADDIN_" + $0 }
        )
        return environment.keys.filter { $0.hasPrefix("ALADDIN_") && !known.contains($0) }.sorted()
    }
}
