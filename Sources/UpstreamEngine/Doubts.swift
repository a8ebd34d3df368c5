internal import Synchronization

/// Those who wait to hear whether the server is still there, and the one who finds out.
///
/// A failed answer alone does not tell. Who has one waits here until the server has been asked once more, so that "the
/// server is gone" is heard before "this answer failed".
final class Doubts: Sendable {
    private struct State {
        var waiting: [CheckedContinuation<Void, Never>] = []
        /// Resumed by the first doubt.
        var watcher: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Returns when the server has been asked after this call.
    func settle() async {
        await withCheckedContinuation { continuation in
            let (watcher, isClosed) = state.withLock { state in
                if !state.isClosed { state.waiting.append(continuation) }
                return (state.watcher.take(), state.isClosed)
            }
            if isClosed { continuation.resume() }
            watcher?.resume()
        }
    }

    /// Returns when somebody doubts, or the task is cancelled.
    func next() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    if !state.waiting.isEmpty || state.isClosed || Task.isCancelled { return true }
                    state.watcher = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.watcher.take() }?.resume()
        }
    }

    /// Those who doubt now; to be resumed when the server has been asked.
    func take() -> [CheckedContinuation<Void, Never>] {
        state.withLock { state in
            defer { state.waiting.removeAll() }
            return state.waiting
        }
    }

    func putBack(_ doubters: [CheckedContinuation<Void, Never>]) {
        state.withLock { $0.waiting = doubters + $0.waiting }
    }

    /// Nobody will ask any more.
    func close() {
        let (waiting, watcher) = state.withLock { state in
            state.isClosed = true
            defer { state.waiting.removeAll() }
            return (state.waiting, state.watcher.take())
        }
        for continuation in waiting { continuation.resume() }
        watcher?.resume()
    }
}
