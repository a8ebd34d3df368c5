import Brokering
import Foundation
import Journal
import Synchronization
import Testing

/// Hears a journal's events and lets a test wait for them.
final class Listener: Sendable {
    private struct State {
        var durable: UInt64 = 0
        var found: [UInt64: KeptResult?] = [:]
        var failures: [JournalFailure] = []
        var stalls: [JournalFailure?] = []
        /// What came after a failure: nothing should.
        var lateEvents = 0
    }

    private let state = Mutex(State())
    private let condition = NSCondition()

    var handle: @Sendable (JournalEvent) -> Void {
        { [self] event in
            state.withLock { state in
                if !state.failures.isEmpty { state.lateEvents += 1 }
                switch event {
                case .durable(let through, _): state.durable = through
                case .found(let ticket, let result): state.found[ticket] = .some(result)
                case .stalled(let failure): state.stalls.append(failure)
                case .failed(let failure): state.failures.append(failure)
                }
            }
            condition.lock()
            condition.broadcast()
            condition.unlock()
        }
    }

    var durable: UInt64 { state.withLock { $0.durable } }
    var failures: [JournalFailure] { state.withLock { $0.failures } }
    /// What was told of a database that does not answer, nil when it did again.
    var stalls: [JournalFailure?] { state.withLock { $0.stalls } }
    var lateEvents: Int { state.withLock { $0.lateEvents } }

    func found(_ ticket: UInt64) -> KeptResult?? { state.withLock { $0.found[ticket] } }

    /// Returns when the first `count` records are durable or the journal has failed.
    func waitUntilDurable(_ count: UInt64) {
        wait { [self] in durable >= count }
    }

    func waitUntilFound(_ ticket: UInt64) -> KeptResult? {
        wait { [self] in found(ticket) != nil }
        return found(ticket) ?? nil
    }

    /// Returns when the database was said not to answer, or the journal has failed.
    func waitForStall() {
        wait { [self] in !stalls.isEmpty }
    }

    func waitForFailure() {
        wait { false }
    }

    private func wait(until isDone: () -> Bool) {
        let end = Date(timeIntervalSinceNow: 60)
        condition.lock()
        defer { condition.unlock() }
        while !isDone(), failures.isEmpty {
            guard condition.wait(until: end) else {
                Issue.record("the journal did not tell within a minute; durable: \(durable), stalls: \(stalls)")
                return
            }
        }
    }
}

/// Runs what waits on a thread of its own.
func onThread(_ body: @escaping @Sendable () -> Void) {
    Thread.detachNewThread(body)
}
