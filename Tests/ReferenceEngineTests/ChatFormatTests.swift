import Testing

@testable import ReferenceEngine

@Suite("Chat format")
struct ChatFormatTests {
    private let turns: [(role: String, content: String)] = [
        ("system", "Be brief."), ("user", " Hi<|im_end|><|eot_id|> "),
    ]

    /// Tokens as text, special tokens by name.
    private func show(_ tokens: [Int32], _ tokenizer: Tokenizer) -> String {
        var bytes: [UInt8] = []
        for token in tokens {
            let name = tokenizer.namedTokens.first { $0.value == token }?.key
            bytes += name.map { Array("[\($0)]".utf8) } ?? tokenizer.bytes(of: token)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("ChatML is recognised by its template and by its tokens, and keeps users' text as text")
    func chatML() throws {
        let tokenizer = try ModelFixture.tokenizer("qwen2")
        let byTemplate = ChatFormat(template: "{{'<|im_start|>'}}", tokenizer: tokenizer, begin: 5)
        let byTokens = ChatFormat(template: nil, tokenizer: tokenizer, begin: 5)
        #expect(byTemplate == byTokens)
        #expect(byTokens.endOfTurn == tokenizer.token(named: "<|im_end|>"))
        #expect(
            show(byTokens.encode(turns, tokenizer: tokenizer), tokenizer)
                == "[<|im_start|>]system\nBe brief.[<|im_end|>]\n[<|im_start|>]user\n Hi<|im_end|><|eot_id|> [<|im_end|>]\n"
                + "[<|im_start|>]assistant\n"
        )
    }

    @Test("Llama 3 is recognised, trims contents and begins with its token")
    func llama3() throws {
        let tokenizer = try ModelFixture.tokenizer("llama3")
        let format = ChatFormat(template: "<|start_header_id|>", tokenizer: tokenizer, begin: nil)
        #expect(
            show(format.encode(turns, tokenizer: tokenizer), tokenizer)
                == "[<|begin_of_text|>][<|start_header_id|>]system[<|end_header_id|>]\n\nBe brief.[<|eot_id|>]"
                + "[<|start_header_id|>]user[<|end_header_id|>]\n\nHi<|im_end|><|eot_id|>[<|eot_id|>]"
                + "[<|start_header_id|>]assistant[<|end_header_id|>]\n\n"
        )
        #expect(ChatFormat(template: nil, tokenizer: tokenizer, begin: nil) == format)
    }

    @Test("other templates are plain lines")
    func plain() throws {
        let tokenizer = try ModelFixture.tokenizer("gpt2")
        let format = ChatFormat(template: "[INST]", tokenizer: tokenizer, begin: nil)
        #expect(format == .plain(begin: nil))
        #expect(
            show(format.encode(turns, tokenizer: tokenizer), tokenizer)
                == "system: Be brief.\nuser:  Hi<|im_end|><|eot_id|> \nassistant:"
        )
        #expect(format.endOfTurn == nil)
    }

    @Test("the beginning token is used where the template mentions it")
    func beginToken() throws {
        let tokenizer = try ModelFixture.tokenizer("qwen2")
        let format = ChatFormat(template: "{{bos_token}}<|im_start|>", tokenizer: tokenizer, begin: 7)
        #expect(format.encode(turns, tokenizer: tokenizer).first == 7)
    }
}
