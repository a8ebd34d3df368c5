internal import Hummingbird
internal import Synchronization

/// The writing end of a stream of server-sent events, which knows when the client has stopped reading.
///
/// Unchecked, because Hummingbird's writer is not `Sendable`: one task at a time writes (first the child task that
/// reads the query, then, once that has ended, the one that made it), and only `writingSince` is read by others.
final class EventWriter: @unchecked Sendable {
    private var writer: any ResponseBodyWriter
    private let writingSince = Mutex<ContinuousClock.Instant?>(nil)

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    /// Writes one piece and returns when the connection can take more: the back-pressure that keeps memory bounded.
    func write(_ buffer: ByteBuffer) async throws {
        writingSince.withLock { $0 = .now }
        defer { writingSince.withLock { $0 = nil } }
        try await writer.write(buffer)
    }

    func finish() async throws {
        try await writer.finish(nil)
    }

    /// Throws `Interruption.clientStalled` once a single write has waited for `limit`; never returns otherwise.
    func watchForStall(limit: Duration) async throws {
        while true {
            try await Task.sleep(for: limit / 4)
            let since = writingSince.withLock { $0 }
            if let since, ContinuousClock.now - since >= limit { throw Interruption.clientStalled }
        }
    }
}
