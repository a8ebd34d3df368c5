internal import Synchronization

/// Something that happens once, such as a connection closing, told to all who asked.
final class OneShotSignal: Sendable {
    private struct State {
        var isRaised = false
        var nextToken = 0
        var observers: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    var isRaised: Bool { state.withLock(\.isRaised) }

    /// Tells all observers, once; later calls do nothing.
    func raise() {
        let observers = state.withLock { state in
            defer { state.observers = [:] }
            state.isRaised = true
            return state.observers
        }
        for observer in observers.values { observer() }
    }

    /// Calls `body` when the signal is raised, at once if it has been.
    ///
    /// - Returns: what `remove` takes to forget the observer, which it keeps alive until then.
    func observe(_ body: @escaping @Sendable () -> Void) -> Int? {
        let token: Int? = state.withLock { state in
            guard !state.isRaised else { return nil }
            state.nextToken += 1
            state.observers[state.nextToken] = body
            return state.nextToken
        }
        if token == nil { body() }
        return token
    }

    func remove(_ token: Int?) {
        guard let token else { return }
        state.withLock { $0.observers[token] = nil }
    }
}
