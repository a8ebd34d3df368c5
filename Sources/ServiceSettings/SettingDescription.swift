/// A setting: one name for the command line, the environment and the configuration file.
package struct SettingDescription: Hashable, Sendable {
    /// As on the command line, without the dashes.
    package var name: String
    package var form: SettingForm
    /// What holds when nobody says anything; empty if that is nothing, or depends.
    package var standard: String
    /// The commands that heed it.
    package var commands: [String]
    /// Whether a service that runs takes a new value over.
    package var isReloadable = false
    /// Whether its value is not to be shown, and is taken from the environment alone.
    package var isSecret = false

    /// `worker-endpoint` is `ALADDIN_WORKER_ENDPOINT`.
    package var variable: String { Self.variable(name) }

    package static func variable(_ name: String) -> String {
        "ALADDIN_" + name.uppercased().map { $0 == "-" ? "_" : $0 }
    }
}
