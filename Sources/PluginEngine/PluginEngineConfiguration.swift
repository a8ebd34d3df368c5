/// What a plug-in is opened with.
package struct PluginEngineConfiguration: Sendable {
    /// One `--plugin-option KEY=VALUE`.
    package struct Option: Hashable, Sendable {
        package var key: String
        package var value: String

        package init(key: String, value: String) {
            self.key = key
            self.value = value
        }
    }

    /// In the order of the command line.
    package var options: [Option] = []
    /// Absolute path.
    package var modelDirectory: String?
    /// Nil lets the plug-in name its model.
    package var modelName: String?
    /// Nil lets the plug-in choose.
    package var kvCapacityTokens: Int?

    package init() {}
}
