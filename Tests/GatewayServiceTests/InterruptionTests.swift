internal import Synchronization
internal import Testing

@testable internal import GatewayService

@Suite("Signals and what they interrupt", .timeLimit(.minutes(1)))
struct InterruptionTests {
    @Test("A signal is told once to each observer, early or late, unless it was removed")
    func signal() {
        let signal = OneShotSignal()
        let told = Mutex<[String]>([])
        _ = signal.observe { told.withLock { $0.append("early") } }
        signal.remove(signal.observe { told.withLock { $0.append("removed") } })
        signal.raise()
        signal.raise()
        _ = signal.observe { told.withLock { $0.append("late") } }
        #expect(told.withLock { $0 } == ["early", "late"])
        #expect(signal.isRaised)
    }

    @Test("Without a signal the operation's value or error is the result")
    func undisturbed() async throws {
        let (closed, draining) = (OneShotSignal(), OneShotSignal())
        #expect(try await Interruption.interrupting(on: closed, or: draining) { 7 } == 7)
        await #expect(throws: GatewayFailure.self) {
            try await Interruption.interrupting(on: closed, or: draining) { throw GatewayFailure() }
        }
    }

    @Test("A signal cancels the operation and names itself, also if it came first", arguments: [false, true])
    func interrupts(isEarly: Bool) async throws {
        let (closed, draining) = (OneShotSignal(), OneShotSignal())
        if isEarly { draining.raise() }
        let (endless, source) = AsyncStream.makeStream(of: Never.self)
        let wasCancelled = Mutex(false)
        source.onTermination = { _ in wasCancelled.withLock { $0 = true } }
        await #expect(throws: Interruption.shuttingDown) {
            try await Interruption.interrupting(on: closed, or: draining) {
                draining.raise()
                for await _ in endless {}
            }
        }
        #expect(wasCancelled.withLock { $0 })
    }

    private struct GatewayFailure: Error {}
}
