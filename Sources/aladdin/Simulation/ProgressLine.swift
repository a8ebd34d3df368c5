internal import Foundation
internal import Synchronization

/// A progress bar on standard error, drawn by whichever task has news; nothing unless it is a terminal.
final class ProgressLine: Sendable {
    private struct State {
        var label = ""
        /// Jobs known of, done, and the part done of those under way.
        var total = 0.0
        var done = 0.0
        var underway: [Int: Double] = [:]
        var lastDrawn = ContinuousClock.now
    }

    private let state = Mutex(State())
    private let isShown = isatty(2) == 1

    /// Begins a stage of `jobs` jobs; 0 if their number is not known.
    func begin(_ label: String, jobs: Int) {
        state.withLock {
            $0 = State()
            $0.label = label
            $0.total = Double(jobs)
        }
        draw(force: true)
    }

    func update(_ job: Int, share: Double, label: String? = nil) {
        guard isShown else { return }
        state.withLock {
            $0.underway[job] = share
            if let label { $0.label = label }
        }
        draw(force: false)
    }

    func finish(_ job: Int) {
        guard isShown else { return }
        state.withLock {
            $0.underway[job] = nil
            $0.done += 1
        }
        draw(force: false)
    }

    func clear() {
        Terminal.progress("")
    }

    private func draw(force: Bool) {
        guard isShown else { return }
        let text = state.withLock { state -> String? in
            let now = ContinuousClock.now
            guard force || now - state.lastDrawn > .milliseconds(100) else { return nil }
            state.lastDrawn = now
            let current = state.done + state.underway.values.reduce(0, +)
            guard state.total > 0 else { return state.label }
            let share = min(current / state.total, 1)
            let filled = Int(share * 30)
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
            return "\(bar) \(Int(share * 100)) %  \(state.label)"
        }
        if let text { Terminal.progress(text) }
    }
}
