import Messages
import ServingModel
import Sessions
import Testing

@Suite("A table of sessions")
struct SessionTableTests {
    private func time(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    private func open(
        _ table: inout SessionTable<String>,
        _ number: UInt64,
        _ route: String,
        at milliseconds: Int64 = 0
    ) throws -> UInt64? {
        try table.open(number: number, route: route, name: "n\(number)", software: "s", at: time(milliseconds))
    }

    @Test("A session expires after silence, and every sign of life puts that off")
    func expires() throws {
        var table = SessionTable<String>(timeout: .milliseconds(100), maximumSessions: 8)
        #expect(try open(&table, 1, "a") == nil)
        #expect(try open(&table, 2, "b", at: 50) == nil)
        #expect(table.expired(at: time(99)) == [])
        #expect(table.expired(at: time(100)) == [1])
        let verdict = table.hear(session: 1, from: "a", at: time(99))
        #expect(verdict == .accepted(session: 1))
        #expect(table.expired(at: time(150)) == [2])
        #expect(table.expired(at: time(199)) == [1, 2])
        let closed = table.close(2)
        #expect(closed?.name == "n2")
        #expect(table.openNumbers == [1] && table.count == 1)
        let again = table.close(2)
        #expect(again == nil)
    }

    @Test("A frame of an unknown session, or from another's route, is refused and is no sign of life")
    func refusesStale() throws {
        var table = SessionTable<String>(timeout: .milliseconds(100), maximumSessions: 8)
        _ = try open(&table, 1, "a")
        for (session, route) in [(UInt64(0), "a"), (2, "a"), (1, "b")] {
            guard case .refused(let status) = table.hear(session: session, from: route, at: time(90)) else {
                Issue.record("accepted")
                return
            }
            #expect(status.reason == .staleSession)
        }
        #expect(table.expired(at: time(100)) == [1])
    }

    @Test("A second hello ends the session that the route had")
    func secondHello() throws {
        var table = SessionTable<String>(timeout: .seconds(1), maximumSessions: 1)
        _ = try open(&table, 1, "a")
        #expect(try open(&table, 2, "a") == 1)
        #expect(table.openNumbers == [2])
        let verdict = table.hear(session: 1, from: "a", at: time(1))
        #expect(verdict != .accepted(session: 1))
        // The late end of the old one does not take the new one's route away.
        table.close(1)
        #expect(try open(&table, 3, "a") == 2)
    }

    @Test("Sessions are bounded")
    func bounded() throws {
        var table = SessionTable<String>(timeout: .seconds(1), maximumSessions: 2)
        _ = try open(&table, 1, "a")
        _ = try open(&table, 2, "b")
        #expect {
            _ = try open(&table, 3, "c")
        } throws: { error in
            let status = error as? Status
            return status?.code == .resourceExhausted && status?.reason == .tooManySessions && status?.retryAfter != nil
        }
        table.close(1)
        #expect(try open(&table, 3, "c") == nil)
    }

    @Test("Stream numbers increase, from 1, in each session by itself")
    func streams() throws {
        var table = SessionTable<String>(timeout: .seconds(1), maximumSessions: 2)
        _ = try open(&table, 1, "a")
        _ = try open(&table, 2, "b")
        for stream: UInt64 in [1, 2, 10] { try table.open(stream: stream, in: 1) }
        try table.open(stream: 1, in: 2)
        for (stream, session) in [(UInt64(10), UInt64(1)), (9, 1), (0, 2), (1, 2), (5, 3)] {
            #expect {
                try table.open(stream: stream, in: session)
            } throws: { error in
                (error as? Status)?.reason == .protocolViolation
            }
        }
        #expect(table[1]?.highestStream == 10)
    }

    @Test("An outbox keeps order and counts bytes up to its bound")
    func outbox() {
        var outbox = Outbox(maximumBytes: 10)
        let frames = (1...3).map { Outbox.Frame(header: [UInt8($0)], body: [UInt8](repeating: 0, count: 3)) }
        let results = frames.map { outbox.append($0) }
        #expect(results == [true, true, false])
        #expect(outbox.bytes == 8 && outbox.first == frames[0])
        outbox.removeFirst()
        let fits = outbox.append(frames[2])
        #expect(fits)
        outbox.removeFirst()
        #expect(outbox.first == frames[2])
        outbox.removeFirst()
        outbox.removeFirst()
        #expect(outbox.isEmpty && outbox.bytes == 0)
    }
}
