import Synchronization

/// What an actor waits for that its loop's handlers bring about.
final class LoopSignal: Sendable {
    private struct State {
        var isGiven = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func give() {
        let waiter = state.withLock { state in
            state.isGiven = true
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Returns when it has been given, or when the task is cancelled, as one is whose time is up; to be called once.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let isGiven = state.withLock { state in
                    if !state.isGiven { state.waiter = waiter }
                    return state.isGiven
                }
                if isGiven { waiter.resume() }
            }
        } onCancel: {
            give()
        }
    }
}
