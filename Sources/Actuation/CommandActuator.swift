/// A command of the operator's that makes the fleet as large as it is told to.
///
/// It is run by `/bin/sh` with `ALADDIN_MODEL`, `ALADDIN_WORKERS` (how many there should be), `ALADDIN_CURRENT_WORKERS`
/// and `ALADDIN_SPARE` (names, the idlest first, separated by spaces) and must be repeatable.
package actor CommandActuator: Actuator {
    package typealias Fleet = (model: String, size: Int)

    package nonisolated let name = "a command"
    private let command: String
    private let present: @Sendable () async throws -> Fleet
    /// As the command was told last; nil before it is known what there is.
    private var fleet: Fleet?

    /// - Parameter present: finds out what there is when this begins; asked again for as long as it can't.
    package init(command: String, present: @escaping @Sendable () async throws -> Fleet) {
        self.command = command
        self.present = present
    }

    package func size() async throws -> Int { try await known().size }

    package func resize(to count: Int, sparing spare: [String]) async throws {
        let (model, size) = try await known()
        let environment = [
            "ALADDIN_MODEL": model, "ALADDIN_WORKERS": "\(count)", "ALADDIN_CURRENT_WORKERS": "\(size)",
            "ALADDIN_SPARE": spare.joined(separator: " "),
        ]
        _ = try await Command(executable: "/bin/sh", arguments: ["-c", command], environment: environment).run()
        fleet = (model, count)
    }

    private func known() async throws -> Fleet {
        if let fleet { return fleet }
        let found = try await present()
        fleet = found
        return found
    }
}
