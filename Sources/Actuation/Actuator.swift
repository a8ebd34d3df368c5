/// Carries out how many workers of a model there should be: by processes, containers, pods, or a command of the user's.
///
/// Workers that go must be told to (SIGTERM or the like), so that they finish what they have.
package protocol Actuator: Sendable {
    /// What it acts on, in words, for logs.
    var name: String { get }

    /// Workers that run or are about to.
    func size() async throws -> Int

    /// Makes it `count` workers.
    ///
    /// - Parameter spare: names of workers, those that can best be spared first: whoever can choose begins with them.
    func resize(to count: Int, sparing spare: [String]) async throws

    /// Ends what it has started itself; the fleet is not to outlive its controller where that makes no sense.
    func close() async
}

extension Actuator {
    package func close() async {}
}

/// What an actuator could not do, in words for the operator.
package struct ActuationError: Error, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
