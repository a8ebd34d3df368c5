internal import ArgumentParser
internal import Foundation

/// An option's value when the command line is silent: the environment's, or the default.
///
/// `--worker-endpoint` is `ALADDIN_WORKER_ENDPOINT`.
enum Setting {
    static func text(_ name: String) -> String? {
        let variable = "ALADDIN_" + name.uppercased().replacing("-", with: "_")
        guard let value = ProcessInfo.processInfo.environment[variable], !value.isEmpty else { return nil }
        return value
    }

    /// The value of `name`: from the command line, else from the environment, else `fallback`.
    ///
    /// - Throws: `ValidationError` if the environment's value cannot be read.
    static func resolve<Value: LosslessStringConvertible>(
        _ given: Value?,
        _ name: String,
        default fallback: Value
    ) throws -> Value {
        try resolve(given, name) ?? fallback
    }

    static func resolve<Value: LosslessStringConvertible>(_ given: Value?, _ name: String) throws -> Value? {
        if let given { return given }
        guard let text = text(name) else { return nil }
        guard let value = Value(text) else {
            let variable = "ALADDIN_" + name.uppercased().replacing("-", with: "_")
            throw ValidationError("\(variable) is '\(text)', which is not a valid value for --\(name)")
        }
        return value
    }
}
