internal import Glibc

/// Memory for the C structures of one message, handed out piece by piece and freed at once.
///
/// protobuf-c has no recursion or amplification limit of its own: 600 kB of unknown fields make it allocate 13 MB. The
/// arena is its allocator, with a budget beyond which it gets NULL, which `unpack` handles. Pieces freed early are not
/// handed out again, so the budget bounds everything that was ever asked for.
///
/// In front of each piece stands its size: a string's length is then known without trusting its terminator, and a NUL
/// inside shows.
struct MessageArena: ~Copyable {
    /// Bytes that may be handed out, sizes included.
    let budget: Int
    private(set) var usedBytes = 0
    /// Whether a piece was refused.
    private(set) var isExhausted = false

    private var cursor: UnsafeMutableRawPointer?
    private var room = 0
    private var nextChunkBytes: Int
    /// The newest chunk; each begins with the address of the one before it.
    private var chunk: UnsafeMutableRawPointer?

    private static let wordBytes = 8

    /// - Parameters:
    ///   - budget: What may be handed out in all.
    ///   - expected: What probably will be.
    init(budget: Int = .max, expected: Int = 2048) {
        self.budget = budget
        nextChunkBytes = max(256, min(expected, 1 << 20))
    }

    deinit {
        var chunk = chunk
        while let current = chunk {
            chunk = current.load(as: UnsafeMutableRawPointer?.self)
            free(current)
        }
    }

    /// A piece aligned to 8 bytes, or nil beyond the budget.
    mutating func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
        guard count >= 0, count <= budget - usedBytes - 2 * Self.wordBytes else {
            isExhausted = true
            return nil
        }
        let padded = Self.wordBytes + (count + Self.wordBytes - 1) & ~(Self.wordBytes - 1)
        usedBytes += padded
        if padded > room { grow(toHold: padded) }
        guard let piece = cursor else { return nil }
        cursor = piece + padded
        room -= padded
        piece.storeBytes(of: count, as: Int.self)
        return piece + Self.wordBytes
    }

    /// The size that a piece was allocated with.
    static func byteCount(of piece: UnsafeRawPointer) -> Int {
        (piece - wordBytes).load(as: Int.self)
    }

    private mutating func grow(toHold count: Int) {
        let size = max(nextChunkBytes, count) + Self.wordBytes
        // Swift's own allocation asks for an alignment, which takes glibc twice as long.
        guard let new = malloc(size) else { fatalError("no memory for a message") }
        new.storeBytes(of: chunk, as: UnsafeMutableRawPointer?.self)
        chunk = new
        cursor = new + Self.wordBytes
        room = size - Self.wordBytes
        nextChunkBytes = min(2 * nextChunkBytes, 1 << 20)
    }
}
