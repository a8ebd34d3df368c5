import ServingModel
import Testing

@Suite("What prompts begin with, by their bytes")
struct PromptBlocksTests {
    private func text(_ count: Int, _ seed: UInt64 = 1) -> String {
        var generator = SeededGenerator(seed: seed)
        return String((0..<count).map { _ in Character(Unicode.Scalar(UInt8.random(in: 97...122, using: &generator))) })
    }

    @Test("Texts have equal blocks as far as they are equal, whole blocks only")
    func texts() {
        let long = text(5000)
        let hashes = PromptBlocks.hashes(of: .text(long))
        #expect(hashes.count == 4 && Set(hashes).count == 4)
        #expect(PromptBlocks.hashes(of: .text(String(long.prefix(3000)))) == Array(hashes.prefix(2)))
        var changed = Array(long)
        changed[2500] = "A"
        let others = PromptBlocks.hashes(of: .text(String(changed)))
        #expect(Array(others.prefix(2)) == Array(hashes.prefix(2)))
        #expect(Set(others.suffix(2)).isDisjoint(with: hashes), "a change carries on to the end")
        #expect(PromptBlocks.hashes(of: .text(String(long.prefix(1023)))).isEmpty)
    }

    @Test("A conversation goes on with the blocks it had; roles and ends of messages tell it from others")
    func conversations() {
        let opening = [
            ChatMessage(role: "system", content: text(1500)), ChatMessage(role: "user", content: text(700, 2)),
        ]
        let next =
            opening + [
                ChatMessage(role: "assistant", content: text(900, 3)), ChatMessage(role: "user", content: text(100, 4)),
            ]
        let first = PromptBlocks.hashes(of: .chat(opening))
        let second = PromptBlocks.hashes(of: .chat(next))
        #expect(first.count == 2 && second.count == 3 && Array(second.prefix(2)) == first)
        let otherRole = [ChatMessage(role: "user", content: text(1500)), opening[1]]
        #expect(Set(PromptBlocks.hashes(of: .chat(otherRole))).isDisjoint(with: first))
        let otherEnd = [
            ChatMessage(role: "system", content: String(text(1500).prefix(1400))),
            ChatMessage(role: "user", content: String(text(1500).suffix(100)) + text(700, 2)),
        ]
        let ends = PromptBlocks.hashes(of: .chat(otherEnd))
        #expect(ends[0] == first[0] && ends[1] != first[1])
    }

    @Test("Token identifiers count four bytes each, and no prompt has more blocks than are told apart")
    func identifiers() {
        let ids = (0..<1000).map { Int32($0) }
        #expect(PromptBlocks.hashes(of: .tokens(ids)).count == 3)
        #expect(PromptBlocks.hashes(of: .tokens((0..<100_000).map { Int32($0) })).count == PromptBlocks.maximumBlocks)
        let blocks = PromptBlocks(of: .tokens(ids), promptTokens: 1000)
        #expect(blocks.hashes.count == 3 && blocks.blockTokens == 256)
        #expect(PromptBlocks(of: .text("short"), promptTokens: 2) == .none)
    }

    @Test("Pieces that do not end at a word boundary are told apart by their length")
    func odd() {
        let a = [ChatMessage(role: "user", content: "\u{0}" + text(1100))]
        let b = [ChatMessage(role: "user", content: text(1100))]
        #expect(PromptBlocks.hashes(of: .chat(a)) != PromptBlocks.hashes(of: .chat(b)))
    }

    @Test("One reading yields the blocks and a hash of the whole prompt, which any change to it changes")
    func digest() {
        let long = text(300_001)
        let digest = PromptBlocks.digest(of: .text(long))
        #expect(digest.hashes == PromptBlocks.hashes(of: .text(long)))
        #expect(digest.hashes.count == PromptBlocks.maximumBlocks)
        let prompts: [PromptInput] = [
            .text(long), .text(String(long.dropLast())), .text(long + "a"), .text("A" + long.dropFirst()),
            .text(long.dropLast() + "A"), .text(""), .text("a"), .text("\u{0}"), .text("\u{0}\u{0}"),
            .chat([ChatMessage(role: "user", content: long)]), .chat([ChatMessage(role: "system", content: long)]),
            .chat([ChatMessage(role: "user", content: "ab"), ChatMessage(role: "user", content: "c")]),
            .chat([ChatMessage(role: "user", content: "a"), ChatMessage(role: "user", content: "bc")]),
            .tokens([1, 2, 3]), .tokens([1, 2]), .tokens(Array(repeating: 7, count: 100_000)),
            .tokens(Array(repeating: 7, count: 99_999)),
        ]
        #expect(Set(prompts.map { PromptBlocks.digest(of: $0).whole }).count == prompts.count)
        #expect(PromptBlocks.digest(of: .text(long)).whole == digest.whole)
    }
}
