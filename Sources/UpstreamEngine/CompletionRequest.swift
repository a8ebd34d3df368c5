internal import EngineInterface
internal import Foundation
internal import ServingModel

/// A query as a request to a server.
struct CompletionRequest {
    let path: String
    let body: [UInt8]

    init(_ request: SequenceRequest, model: String, kind: ServerKind) {
        var fields: [String: Any] = [
            "model": model,
            "stream": true,
            "max_tokens": request.maxTokens,
            "temperature": request.sampling.temperature,
            "top_p": request.sampling.topP,
        ]
        var input = JSONText()
        switch request.input {
        case .text(let text):
            path = "/v1/completions"
            input.append("\"prompt\":")
            input.append(quoting: text)
        case .tokens(let tokens):
            path = "/v1/completions"
            input.append("\"prompt\":[" + tokens.lazy.map(String.init).joined(separator: ",") + "]")
        case .chat(let messages):
            path = "/v1/chat/completions"
            input.append("\"messages\":[")
            for (index, message) in messages.enumerated() {
                input.append(index == 0 ? "{\"role\":" : ",{\"role\":")
                input.append(quoting: message.role)
                input.append(",\"content\":")
                input.append(quoting: message.content)
                input.append("}")
            }
            input.append("]")
        }
        if let seed = request.sampling.seed { fields["seed"] = Int64(truncatingIfNeeded: seed & 0x7FFF_FFFF_FFFF_FFFF) }
        if !request.sampling.stop.isEmpty { fields["stop"] = request.sampling.stop }
        fields.merge(Self.extensions(to: request.sampling, kind)) { $1 }
        // Every value is a string, a finite number or a list of such.
        guard let data = try? JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys]) else {
            preconditionFailure("a request is plain JSON")
        }
        // The prompt can be long: it is written by hand, ahead of all the rest.
        var text = JSONText()
        text.append("{")
        text.bytes += input.bytes
        text.append(",")
        text.bytes += data.dropFirst()
        body = text.bytes
    }

    /// What OpenAI's interface does not have, for those known to take it.
    ///
    /// Servers have defaults of their own for what is not said (a model's `generation_config.json`, llama.cpp's top-k of
    /// 40), so all that Aladdin promises to mean is said.
    private static func extensions(to sampling: Sampling, _ kind: ServerKind) -> [String: Any] {
        var fields: [String: Any] = [:]
        var stream: [String: Any] = ["include_usage": true]
        switch kind {
        case .vllm, .sglang:
            fields["top_k"] = sampling.topK > 0 ? sampling.topK : -1
            fields["min_p"] = 0
            stream["continuous_usage_stats"] = true
        case .llamaCpp:
            fields["top_k"] = sampling.topK
            fields["min_p"] = 0
            fields["timings_per_token"] = true
        case .other:
            if sampling.topK > 0 { fields["top_k"] = sampling.topK }
        }
        fields["stream_options"] = stream
        return fields
    }
}
