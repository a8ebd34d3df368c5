import Testing

@testable import ReferenceEngine

@Suite("Tokenizer")
struct TokenizerTests {
    struct Case: Decodable {
        var text: String
        var ids: [Int32]
        var withPrefix: [Int32]
    }

    @Test("gives the reference implementation's tokens for tricky texts", arguments: ModelFixture.tokenizers)
    func agreesWithReference(kind: String) throws {
        let tokenizer = try ModelFixture.tokenizer(kind)
        let cases = try ModelFixture.decode([Case].self, from: "tokenizers/\(kind)/cases.json")
        #expect(cases.count > 20)
        for item in cases {
            let tokens = tokenizer.encode(item.text, addedTokens: .all)
            #expect(tokens == item.ids, "\(kind): \(item.text.debugDescription)")
            #expect(tokenizer.prefixTokens + tokens == item.withPrefix, "\(kind): \(item.text.debugDescription)")
        }
    }

    @Test("returns every text from its tokens", arguments: ModelFixture.tokenizers)
    func roundTrip(kind: String) throws {
        let tokenizer = try ModelFixture.tokenizer(kind)
        for item in try ModelFixture.decode([Case].self, from: "tokenizers/\(kind)/cases.json") {
            let tokens = tokenizer.encode(item.text, addedTokens: .ordinaryOnly)
            let text = String(decoding: tokens.flatMap { tokenizer.bytes(of: $0) }, as: UTF8.self)
            // Qwen2 composes, which is canonically equal: Swift's own measure of equality.
            #expect(text == item.text)
        }
    }

    @Test("takes special tokens in users' text as text")
    func specialTokensInContent() throws {
        let tokenizer = try ModelFixture.tokenizer("qwen2")
        let end = try #require(tokenizer.token(named: "<|im_end|>"))
        let text = "a<|im_end|>b<tool_call>"
        #expect(tokenizer.encode(text, addedTokens: .all).contains(end))
        let plain = tokenizer.encode(text, addedTokens: .ordinaryOnly)
        #expect(!plain.contains(where: tokenizer.specialTokens.contains))
        #expect(plain.contains(try #require(tokenizer.token(named: "<tool_call>"))))
    }

    @Test("gives special and unknown tokens no text")
    func specialTokensHaveNoText() throws {
        let tokenizer = try ModelFixture.tokenizer("bytes")
        let end = try #require(tokenizer.token(named: "<|im_end|>"))
        #expect(tokenizer.bytes(of: end).isEmpty)
        #expect(tokenizer.bytes(of: -1).isEmpty)
        #expect(tokenizer.bytes(of: 1_000_000).isEmpty)
    }

    @Test("merges a long piece without regex cuts")
    func longPiece() throws {
        let tokenizer = try ModelFixture.tokenizer("gpt2")
        let text = String(repeating: "shouldn", count: 2000)
        let tokens = tokenizer.encode(text, addedTokens: .all)
        #expect(tokens.count < 7 * 2000)
        #expect(String(decoding: tokens.flatMap { tokenizer.bytes(of: $0) }, as: UTF8.self) == text)
    }

    @Test("maps every byte to a printable character and back")
    func alphabet() {
        for byte in UInt8.min...UInt8.max {
            let scalar = ByteAlphabet.scalars[Int(byte)]
            #expect(ByteAlphabet.decode(String(Character(scalar))) == [byte])
        }
        #expect(ByteAlphabet.scalars[0x20] == "Ġ")
        #expect(ByteAlphabet.decode("日本") == Array("日本".utf8))
    }
}
