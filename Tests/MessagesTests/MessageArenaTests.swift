import Testing

@testable import Messages

@Suite("The message arena")
struct MessageArenaTests {
    @Test("pieces are aligned, apart from each other and know their size")
    func pieces() throws {
        var arena = MessageArena(expected: 0)
        var pieces: [(UnsafeMutableRawPointer, Int)] = []
        for count in [0, 1, 7, 8, 9, 100, 255, 256, 257, 5000, 3, 2_000_000, 1] {
            let allocated = arena.allocate(count)
            let piece = try #require(allocated)
            #expect(UInt(bitPattern: piece) % 8 == 0)
            #expect(MessageArena.byteCount(of: piece) == count)
            piece.initializeMemory(as: UInt8.self, repeating: UInt8(pieces.count), count: count)
            pieces.append((piece, count))
        }
        for (index, (piece, count)) in pieces.enumerated() {
            let bytes = UnsafeRawBufferPointer(start: piece, count: count)
            #expect(bytes.allSatisfy { $0 == UInt8(index) })
            #expect(MessageArena.byteCount(of: piece) == count)
        }
    }

    @Test("beyond its budget it refuses, and says so; smaller pieces may still fit")
    func budget() {
        var arena = MessageArena(budget: 1000)
        let isFit = [1001, .max, 500, 500, 100, 0].map { arena.allocate($0) != nil }
        #expect(isFit == [false, false, true, false, true, true])
        let isExhausted = arena.isExhausted
        let usedBytes = arena.usedBytes
        #expect(isExhausted)
        #expect((600...1000).contains(usedBytes))
    }

    @Test("sizes that no memory has are refused without a trap", arguments: [-1, .min, .max])
    func absurdSizes(count: Int) {
        var arena = MessageArena(budget: 1 << 20)
        let piece = arena.allocate(count)
        #expect(piece == nil)
    }
}
