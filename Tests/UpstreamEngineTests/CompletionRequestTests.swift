import EngineInterface
import Foundation
import ServingModel
import Testing

@testable import UpstreamEngine

@Suite("Requests to a server")
struct CompletionRequestTests {
    @Test("A request has its prompt beside all else", arguments: [ServerKind.vllm, .other])
    func request(kind: ServerKind) throws {
        let inputs: [(PromptInput, String)] = [
            (.text("two \"words\""), "prompt"), (.tokens([1, 2, 3]), "prompt"),
            (.chat([.init(role: "user", content: "hi\n")]), "messages"),
        ]
        for (input, key) in inputs {
            let request = SequenceRequest(
                id: SequenceID(rawValue: 1),
                input: input,
                sampling: Sampling(),
                defaultSeed: 0,
                maxTokens: 7
            )
            let body = CompletionRequest(request, model: "m", kind: kind).body
            let parsed = try #require(try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any])
            #expect(parsed["model"] as? String == "m" && parsed["max_tokens"] as? Int == 7)
            switch input {
            case .text(let text): #expect(parsed[key] as? String == text)
            case .tokens: #expect(parsed[key] as? [Int] == [1, 2, 3])
            case .chat: #expect(parsed[key] as? [[String: String]] == [["role": "user", "content": "hi\n"]])
            }
        }
    }
}
