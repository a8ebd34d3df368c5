internal import Hummingbird

/// The writing end of a stream of server-sent events.
///
/// Unchecked, because Hummingbird's writer is not `Sendable`: one task at a time writes (first the child task that
/// reads the query, then, once that has ended, the one that made it).
final class EventWriter: @unchecked Sendable {
    private var writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    /// Writes one piece and returns when the connection can take more: the back-pressure that keeps memory bounded.
    func write(_ buffer: ByteBuffer) async throws {
        try await writer.write(buffer)
    }

    func finish() async throws {
        try await writer.finish(nil)
    }
}
