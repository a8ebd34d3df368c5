/// Something wrong with the configuration: which setting, its value, and what would be right.
package struct ConfigurationFault: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }

    /// A value that its setting can't have.
    package init(_ setting: SettingDescription, _ text: String, _ origin: SettingOrigin, _ expectation: String) {
        let value = setting.isSecret ? "not shown" : "'\(Self.shortened(setting.form.shown(text)))'"
        description = "\(origin.label(setting.name)) is \(text.isEmpty ? "empty" : value); it must be \(expectation)"
    }

    /// In one line, and not endless.
    static func shortened(_ text: String) -> String {
        let visible = text.map { $0.isNewline || $0 == "\0" ? " " : $0 }
        return visible.count <= 200 ? String(visible) : String(visible.prefix(200)) + "…"
    }
}

/// All that is wrong, each in one line.
package struct ConfigurationFaults: Error, Hashable, Sendable, CustomStringConvertible {
    package var faults: [ConfigurationFault]

    package init(_ faults: [ConfigurationFault]) {
        self.faults = faults
    }

    package var description: String { faults.map(\.description).joined(separator: "\n") }
}
