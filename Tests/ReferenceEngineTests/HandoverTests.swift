import EngineInterface
import ServingModel
import Testing

@testable import ReferenceEngine

@Suite("KV caches that move between CPU engines")
struct HandoverTests {
    private static let samplings = [Sampling(), Sampling(temperature: 0.9, topP: 0.95, topK: 50, seed: 11)]
    private static let prompt = PromptInput.tokens(Array(30..<50))

    private func driver(_ model: String = "llama-head-dim", keeps: Bool = false) throws -> EngineDriver {
        var configuration = ModelFixture.configuration
        configuration.keepsPrefixes = keeps
        return EngineDriver(engine: try ModelFixture.engine(model, configuration: configuration))
    }

    private func export(_ driver: EngineDriver, _ id: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        _ = try driver.engine.exportKVCache(of: SequenceID(rawValue: id)) { bytes += $0 }
        return bytes
    }

    /// Decodes on the second engine what the first has begun.
    private func move(
        _ request: SequenceRequest,
        after tokens: Int,
        from first: EngineDriver,
        to second: EngineDriver,
        preempting: Bool = false
    ) throws -> EngineDriver.Answer {
        let id = request.id.rawValue
        var answer = EngineDriver.Answer()
        func append(_ outputs: [SequenceOutput]) {
            for output in outputs {
                answer.tokens.append(output.token)
                answer.texts.append(output.text)
                answer.finish = output.finish
            }
        }
        let count = try first.engine.admit(request)
        append(try first.step(chunks: [first.chunk(id, 0..<count)]))
        for _ in 1..<tokens { append(try first.step(decodes: [id])) }
        let bytes = try export(first, id)
        first.engine.release(request.id)

        var rest = request
        rest.resumedTokens = answer.tokens
        #expect(try second.engine.admit(rest) == count)
        try bytes.withUnsafeBytes { bytes in
            try second.engine.checkKVCache(bytes, for: request.id)
            try second.engine.importKVCache(bytes, into: request.id)
        }
        if preempting {
            append(try second.step(decodes: [id]))
            let known = count + answer.tokens.count
            append(try second.step(preempted: [id], chunks: [second.chunk(id, 0..<known)]))
        }
        while answer.finish == nil { append(try second.step(decodes: [id])) }
        second.engine.release(request.id)
        return answer
    }

    @Test("an answer goes on token for token where its KV cache went", arguments: samplings, [1, 2, 12])
    func moves(sampling: Sampling, tokens: Int) throws {
        let (first, second) = (try driver(), try driver())
        let request = first.request(1, Self.prompt, sampling: sampling, maxTokens: 40)
        let whole = try first.run(request)
        #expect(try move(request, after: tokens, from: first, to: second) == whole)
        #expect(whole.tokens.count > 20)
        for driver in [first, second] {
            #expect(driver.engine.transformer.cache.freeBlocks == driver.engine.transformer.cache.blockCount)
        }
    }

    @Test("one that is preempted afterwards is computed like any other")
    func preempted() throws {
        let (first, second) = (try driver(), try driver())
        let request = first.request(1, Self.prompt, maxTokens: 40)
        let whole = try first.run(request)
        #expect(try move(request, after: 1, from: first, to: second, preempting: true) == whole)
    }

    @Test("a beginning that an engine shares among prompts moves along, and is shared where it comes to")
    func sharedBeginnings() throws {
        let (first, second) = (try driver(keeps: true), try driver(keeps: true))
        let plain = try driver().run(first.request(1, Self.prompt, maxTokens: 20))
        for id in 1...3 {
            let request = first.request(id, Self.prompt, maxTokens: 20)
            #expect(try move(request, after: 1, from: first, to: second) == plain)
        }
        var blocks: [Int32] = []
        #expect(second.engine.transformer.cache.share(&blocks, beginning: [Int32](30..<50)[...]) == 16)
    }

    @Test("a KV cache of other tokens, or cut short, is not taken")
    func wrongBytes() throws {
        let (first, second) = (try driver(), try driver())
        let request = first.request(1, Self.prompt, maxTokens: 40)
        _ = try first.engine.admit(request)
        let token = try first.step(chunks: [first.chunk(1, 0..<20)])[0].token
        let bytes = try export(first, 1)

        var other = second.request(2, .tokens(Array(31..<51)), maxTokens: 40, resumed: [token])
        _ = try second.engine.admit(other)
        other = second.request(3, Self.prompt, maxTokens: 40, resumed: [token])
        _ = try second.engine.admit(other)
        func refusal(_ bytes: [UInt8], _ id: Int) -> Status? {
            bytes.withUnsafeBytes { bytes in
                do throws(Status) {
                    try second.engine.checkKVCache(bytes, for: SequenceID(rawValue: id))
                    return nil
                } catch {
                    return error
                }
            }
        }
        #expect(refusal(bytes, 3) == nil)
        #expect(refusal(bytes, 2)?.reason == .handoverFailed)
        #expect(refusal(Array(bytes.dropLast()), 3)?.reason == .handoverFailed)
        #expect(refusal([], 3)?.reason == .handoverFailed)
        #expect(refusal(bytes, 4)?.reason == .handoverFailed)
    }

    @Test("only models of the same weights have the same form")
    func forms() throws {
        let form = try driver().engine.kvCacheForm
        #expect(try driver().engine.kvCacheForm == form)
        let others = try ["llama-gqa", "llama-bf16", "llama-f16", "qwen2"].map { try driver($0).engine.kvCacheForm }
        #expect(Set(others + [form]).count == 5)
        #expect(form.utf8.count <= 100 && !form.contains(" "))
    }
}
