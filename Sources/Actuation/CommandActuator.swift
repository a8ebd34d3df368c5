internal import ServingModel

/// A command of the operator's that makes the fleet as large as it is told to.
///
/// It is run by `/bin/sh` with `ALADDIN_MODEL`, `ALADDIN_WORKERS` (how many there should be), `ALADDIN_CURRENT_WORKERS`
/// and `ALADDIN_SPARE` (names, the idlest first, separated by spaces) and must be repeatable.
package actor CommandActuator: Actuator {
    package nonisolated let name: String
    private let command: String
    private let model: String
    private var current: Int

    /// - Parameter size: workers there are at the beginning.
    package init(command: String, model: String, size: Int) {
        name = "a command"
        self.command = command
        self.model = model
        current = size
    }

    package func size() -> Int { current }

    package func resize(to count: Int, sparing spare: [String]) async throws {
        let environment = [
            "ALADDIN_MODEL": model, "ALADDIN_WORKERS": "\(count)", "ALADDIN_CURRENT_WORKERS": "\(current)",
            "ALADDIN_SPARE": spare.joined(separator: " "),
        ]
        _ = try await Command(executable: "/bin/sh", arguments: ["-c", command], environment: environment).run()
        current = count
    }
}
