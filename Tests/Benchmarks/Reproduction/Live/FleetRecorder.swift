internal import Foundation
internal import Synchronization

/// Writes down once a second how many workers a running service pays for, on a thread of its own.
final class FleetRecorder: Sendable {
    private struct State {
        var workers: [Int] = []
        var isEnding = false
    }

    private let state = Mutex(State())
    private let done = DispatchSemaphore(value: 0)

    func start(_ processes: ServiceProcesses) {
        let begin = Date()
        Thread.detachNewThread { [self] in
            while !state.withLock(\.isEnding) {
                // Those that are awaited cost already, and so do those that finish what they have.
                let status = try? processes.status()
                let count = status.map { $0.workers.count + $0.fleets.reduce(0) { $0 + $1.starting } }
                let second = state.withLock { state in
                    // A second without an answer is taken for like the one before.
                    if let count = count ?? state.workers.last { state.workers.append(count) }
                    return state.workers.count
                }
                let next = begin.addingTimeInterval(Double(second))
                if next > Date() { Thread.sleep(until: next) }
            }
            done.signal()
        }
    }

    /// Workers by the second since `start`.
    func stop() -> [Int] {
        state.withLock { $0.isEnding = true }
        done.wait()
        return state.withLock(\.workers)
    }
}
