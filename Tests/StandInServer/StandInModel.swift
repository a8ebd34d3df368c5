internal import Foundation

/// What a stand-in server is and says of itself.
package struct StandInModel: Sendable {
    package struct Refusal: Sendable {
        var status: Int
        var message: String
    }

    package var name = "stand-in"
    /// Whose server it passes for: `vllm`, `llamacpp`, `sglang`, or anybody's.
    package var owner = "vllm"
    package var contextLength = 4096
    /// Nil for a server that wants none.
    package var apiKey: String?
    /// What `GET /metrics` says; nil for a server that does not know it.
    package var metrics: String? = """
        vllm:num_requests_running{engine="0",model_name="stand-in"} 0.0
        vllm:num_requests_waiting{engine="0",model_name="stand-in"} 0.0
        vllm:kv_cache_usage_perc{engine="0",model_name="stand-in"} 0.25
        vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="1000"} 1.0

        """
    /// How many words an answer has, if `max_tokens` does not cut it short.
    package var answerLength = 12

    package init() {}

    /// The words of an answer: the same for the same request, whoever answers.
    package func words(for request: StandInRequest) -> [String] {
        let json = request.json
        let seed = request.isChat ? "\(json["messages"] ?? "")".count : "\(json["prompt"] ?? "")".count
        return (0..<answerLength).map { "\($0 == 0 ? "" : " ")w\(seed)-\($0)" }
    }

    package func promptTokens(of request: StandInRequest) -> Int {
        if let tokens = request.json["prompt"] as? [Int] { return tokens.count }
        return max(1, "\(request.json["prompt"] ?? request.json["messages"] ?? "")".count / 4)
    }

    func usage(_ request: StandInRequest, tokens: Int) -> String {
        #", "usage": {"prompt_tokens": \#(promptTokens(of: request)), "completion_tokens": \#(tokens)}"#
    }

    /// Counts along with every event if the request asks for it.
    func running(_ request: StandInRequest, tokens: Int) -> String {
        let options = request.json["stream_options"] as? [String: Any]
        return options?["continuous_usage_stats"] as? Bool == true ? usage(request, tokens: tokens) : ""
    }

    /// Everything that a careful server would find wrong.
    func refusal(of request: StandInRequest) -> Refusal? {
        if let refusal = refusalOfKey(request) { return refusal }
        guard request.method == "POST" else { return Refusal(status: 405, message: "POST it") }
        let json = request.json
        guard !json.isEmpty else { return Refusal(status: 400, message: "not a JSON object") }
        let unknown = Set(json.keys).subtracting(known(request))
        guard unknown.isEmpty else { return Refusal(status: 400, message: "unknown: \(unknown.sorted())") }
        guard json["model"] as? String == name else { return Refusal(status: 404, message: "no such model") }
        guard json["stream"] as? Bool == true else { return Refusal(status: 400, message: "streams only") }
        guard let wanted = json["max_tokens"] as? Int, wanted >= 1 else {
            return Refusal(status: 400, message: "max_tokens is missing")
        }
        if !request.isChat, json["prompt"] as? String == nil, json["prompt"] as? [Int] == nil {
            return Refusal(status: 400, message: "prompt is neither text nor tokens")
        }
        if request.isChat, (json["messages"] as? [[String: String]])?.isEmpty != false {
            return Refusal(status: 400, message: "messages are missing")
        }
        guard promptTokens(of: request) + wanted <= contextLength else {
            return Refusal(status: 400, message: "maximum context length is \(contextLength) tokens")
        }
        return nil
    }

    private func known(_ request: StandInRequest) -> Set<String> {
        let common: Set<String> = [
            "model", "stream", "stream_options", "max_tokens", "temperature", "top_p", "stop", "seed",
            request.isChat ? "messages" : "prompt",
        ]
        switch owner {
        case "vllm", "sglang": return common.union(["top_k", "min_p"])
        case "llamacpp": return common.union(["top_k", "min_p", "timings_per_token"])
        default: return common
        }
    }

    private func refusalOfKey(_ request: StandInRequest) -> Refusal? {
        guard let apiKey, request.authorization != "Bearer \(apiKey)" else { return nil }
        return Refusal(status: 401, message: "no good key")
    }

    /// Answers what is no completion.
    func tell(_ request: StandInRequest, _ answer: StandInAnswer) async throws {
        if let refusal = refusalOfKey(request) { return try await answer.refuse(refusal) }
        switch request.path {
        case "/v1/models":
            let length = owner == "vllm" || owner == "sglang" ? #", "max_model_len": \#(contextLength)"# : ""
            try await tell(
                #"{"object": "list", "data": [{"id": "\#(name)", "owned_by": "\#(owner)"\#(length)}]}"#,
                answer
            )
        case "/props" where owner == "llamacpp":
            try await tell(
                #"{"default_generation_settings": {"n_ctx": \#(contextLength)}, "total_slots": 3}"#,
                answer
            )
        case "/metrics":
            guard let metrics else { return try await answer.refuse(404) }
            try await tell(metrics, answer)
        default:
            try await answer.refuse(404)
        }
    }

    private func tell(_ text: String, _ answer: StandInAnswer) async throws {
        try await answer.begin(type: "application/json")
        try await answer.send(text)
        try await answer.end()
    }
}
