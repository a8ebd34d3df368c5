internal import DequeModule

/// Frames that a connection had no room for yet, in order and within bounds.
package struct Outbox: Sendable {
    package struct Frame: Hashable, Sendable {
        package var header: [UInt8]
        package var body: [UInt8]

        package init(header: [UInt8], body: [UInt8]) {
            self.header = header
            self.body = body
        }
    }

    private var frames: Deque<Frame> = []
    private(set) package var bytes = 0
    private let maximumBytes: Int

    package init(maximumBytes: Int) {
        self.maximumBytes = maximumBytes
    }

    package var isEmpty: Bool { frames.isEmpty }
    package var first: Frame? { frames.first }

    /// Adds a frame at the end.
    ///
    /// - Returns: whether there was room; if not, nothing was added.
    package mutating func append(_ frame: Frame) -> Bool {
        let size = frame.header.count + frame.body.count
        guard bytes + size <= maximumBytes else { return false }
        bytes += size
        frames.append(frame)
        return true
    }

    package mutating func removeFirst() {
        guard let frame = frames.popFirst() else { return }
        bytes -= frame.header.count + frame.body.count
    }
}
