internal import EngineInterface
internal import JSON
internal import ServingModel

/// A query as a request to a server.
struct CompletionRequest {
    /// One of `paths`.
    let path: String
    let body: [UInt8]

    static let paths = [text, chat]
    private static let text = "/v1/completions"
    private static let chat = "/v1/chat/completions"

    init(_ request: SequenceRequest, model: String, kind: ServerKind) {
        // In one piece as a rule, whatever its length.
        let length = request.input.byteCount
        var text = JSONText(reserving: length + length / 16 + 256)
        switch request.input {
        case .text(let prompt):
            path = Self.text
            text.append("{\"prompt\":")
            text.append(quoting: prompt)
        case .tokens(let tokens):
            path = Self.text
            text.append("{\"prompt\":[")
            for (index, token) in tokens.enumerated() { text.append(index == 0 ? "\(token)" : ",\(token)") }
            text.append("]")
        case .chat(let messages):
            path = Self.chat
            text.append("{\"messages\":[")
            for (index, message) in messages.enumerated() {
                text.append(index == 0 ? "{\"role\":" : ",{\"role\":")
                text.append(quoting: message.role)
                text.append(",\"content\":")
                text.append(quoting: message.content)
                text.append("}")
            }
            text.append("]")
        }
        text.append(",\"model\":")
        text.append(quoting: model)
        text.append(",\"max_tokens\":\(request.maxTokens)")
        Self.append(request.sampling, to: &text)
        Self.appendExtensions(to: request.sampling, kind, &text)
        text.append("}")
        body = text.bytes
    }

    private static func append(_ sampling: Sampling, to text: inout JSONText) {
        precondition(sampling.temperature.isFinite && sampling.topP.isFinite, "sampling is checked on arrival")
        text.append(",\"temperature\":\(sampling.temperature),\"top_p\":\(sampling.topP)")
        if let seed = sampling.seed { text.append(",\"seed\":\(seed & 0x7FFF_FFFF_FFFF_FFFF)") }
        guard !sampling.stop.isEmpty else { return }
        text.append(",\"stop\":[")
        for (index, stop) in sampling.stop.enumerated() {
            if index > 0 { text.append(",") }
            text.append(quoting: stop)
        }
        text.append("]")
    }

    /// What OpenAI's interface does not have, for those known to take it.
    ///
    /// Servers have defaults of their own for what is not said (a model's `generation_config.json`, llama.cpp's top-k of
    /// 40), so all that Aladdin promises to mean is said.
    private static func appendExtensions(to sampling: Sampling, _ kind: ServerKind, _ text: inout JSONText) {
        text.append(",\"stream\":true,\"stream_options\":{\"include_usage\":true")
        switch kind {
        case .vllm, .sglang:
            text.append(",\"continuous_usage_stats\":true},\"min_p\":0,\"top_k\":")
            text.append(sampling.topK > 0 ? "\(sampling.topK)" : "-1")
        case .llamaCpp:
            text.append("},\"timings_per_token\":true,\"min_p\":0,\"top_k\":\(sampling.topK)")
        case .other:
            text.append("}")
            if sampling.topK > 0 { text.append(",\"top_k\":\(sampling.topK)") }
        }
    }
}
