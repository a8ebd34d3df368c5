internal import Foundation
internal import ServiceSettings

/// An option's value when the command line is silent: the environment's, the configuration file's, or the default.
///
/// `--worker-endpoint` is `ALADDIN_WORKER_ENDPOINT` and `worker-endpoint: …` in a file.
enum Setting {
    /// Where values come from; bound to the file that the command was given, and on a reload to the file as it is then.
    @TaskLocal static var sources = SettingSources(environment: ProcessInfo.processInfo.environment)

    static func text(_ name: String) -> String? { sources[name]?.text }

    /// The value of `name`: from the command line, the environment, the file, else `fallback`.
    ///
    /// - Throws: `ConfigurationFault` if the value cannot be what it is.
    static func resolve<Value: LosslessStringConvertible>(
        _ given: Value?,
        _ name: String,
        default fallback: Value
    ) throws(ConfigurationFault) -> Value {
        try resolve(given, name) ?? fallback
    }

    static func resolve<Value: LosslessStringConvertible>(
        _ given: Value?,
        _ name: String
    ) throws(ConfigurationFault) -> Value? {
        guard let found = given.map({ .init(text: "\($0)", origin: .commandLine) }) ?? sources[name] else { return nil }
        if let setting = SettingTable[name], let expectation = setting.form.expectation(unmetBy: found.text) {
            throw ConfigurationFault(setting, found.text, found.origin, expectation)
        }
        if let given { return given }
        guard let value = Value(found.text) else {
            throw ConfigurationFault("\(found.origin.label(name)) is '\(found.text)', which is not a valid value")
        }
        return value
    }

    /// Whether something is on: by the flag, or by what the environment or the file says.
    static func flag(_ given: Bool, _ name: String) throws(ConfigurationFault) -> Bool {
        if given { return true }
        guard let text: String = try resolve(nil, name) else { return false }
        return SettingForm.truth(text) ?? false
    }

    /// A setting by the name that its author gave it, for messages.
    static func label(_ name: String, isGiven: Bool) -> String {
        (isGiven ? .commandLine : sources[name]?.origin ?? .commandLine).label(name)
    }
}
