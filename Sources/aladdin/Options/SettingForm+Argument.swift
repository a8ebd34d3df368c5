internal import ArgumentParser
internal import ServiceSettings

extension SettingForm {
    /// Reads an option's value in the form and with the words of settings, for commands whose options nobody checks before
    /// they are parsed.
    ///
    /// - Throws: `ValidationError` that says what the value must be.
    func argument<Value: LosslessStringConvertible>(_ text: String) throws -> Value {
        guard let value = Value(text), expectation(unmetBy: text) == nil else {
            throw ValidationError("it must be \(expectation)")
        }
        return value
    }

    /// A number of workers in a simulation.
    static let workerCount = SettingForm.integer(1...100_000)
    /// The time of an objective.
    static let milliseconds = SettingForm.number(0...9e12, .positive, of: "milliseconds")
    /// How long something lasts.
    static let seconds = SettingForm.number(0...1e9, .positive, of: "seconds")
    static let rate = SettingForm.number(0 ... .infinity, .positive, of: "queries per second")
    static let factor = SettingForm.number(0 ... .infinity, .positive, of: "times")
    static let share = SettingForm.number(0...1, .positive, of: "parts")
}
