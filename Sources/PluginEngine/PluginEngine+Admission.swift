internal import CEngine
package import EngineInterface
internal import ReferenceEngine
package import ServingModel

extension PluginEngine {
    package func admit(_ request: SequenceRequest) throws(Status) -> Int {
        let memory = CallMemory()
        defer { memory.free() }
        var wire = aladdin_request()
        wire.size = UInt32(MemoryLayout<aladdin_request>.size)
        wire.sequence = request.id.wire
        wire.max_tokens = UInt32(clamping: request.maxTokens)
        wire.top_k = UInt32(clamping: request.sampling.topK)
        wire.temperature = request.sampling.temperature
        wire.top_p = request.sampling.topP
        wire.seed = request.sampling.seed ?? request.defaultSeed
        wire.resumed = memory.array(request.resumedTokens)
        wire.resumed_count = request.resumedTokens.count
        var answer: AnswerText?
        if let text {
            let tokens = try text.tokens(of: request.input)
            answer = try self.answer(to: request, promptTokens: tokens.count, text)
            pass(.tokens(tokens), in: &wire, memory)
        } else {
            let stops = request.sampling.stop.map { memory.text($0) }
            wire.stops = memory.array(stops)
            wire.stop_count = stops.count
            pass(request.input, in: &wire, memory)
        }
        var promptTokens: Int64 = 0
        try OpenPlugin.check("admit") { plugin.functions.admit(plugin.engine, &wire, &promptTokens, $0) }
        let context = description.contextLength
        guard promptTokens >= 1, promptTokens <= context else {
            plugin.functions.release(plugin.engine, request.id.wire)
            let message = "the plug-in counts \(promptTokens) tokens in a prompt; expected 1 to \(context)"
            throw Status(.internalError, .engineFailed, message)
        }
        answers[request.id] = answer
        return Int(promptTokens)
    }

    private func pass(_ input: PromptInput, in wire: inout aladdin_request, _ memory: CallMemory) {
        switch input {
        case .text(let text):
            wire.input = UInt32(ALADDIN_INPUT_TEXT)
            wire.text = memory.text(text)
        case .chat(let messages):
            wire.input = UInt32(ALADDIN_INPUT_CHAT)
            let copies = messages.map {
                aladdin_message(role: memory.text($0.role), content: memory.text($0.content))
            }
            wire.messages = memory.array(copies)
            wire.message_count = copies.count
        case .tokens(let tokens):
            wire.input = UInt32(ALADDIN_INPUT_TOKENS)
            wire.tokens = memory.array(tokens)
            wire.token_count = tokens.count
        }
    }

    /// The text of the answer to come, resumed output included.
    private func answer(
        to request: SequenceRequest,
        promptTokens: Int,
        _ text: ModelText
    ) throws(Status) -> AnswerText {
        let context = description.contextLength
        guard promptTokens < context else {
            let room = "the context of \(context) must also hold one of output"
            let message = "the prompt has \(promptTokens) tokens; \(room)"
            throw Status(.outOfRange, .promptTooLong, message)
        }
        try text.validate(tokens: request.resumedTokens, of: "the resumed output")
        var answer = AnswerText(request, promptTokens: promptTokens, contextLength: context)
        for token in request.resumedTokens { _ = answer.append(token, of: text) }
        guard !answer.isFinished else {
            throw Status(.invalidArgument, .malformed, "the resumed output is a finished answer")
        }
        return answer
    }
}
