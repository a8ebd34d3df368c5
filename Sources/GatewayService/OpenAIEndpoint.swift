internal import HTTPTypes
internal import Hummingbird
internal import ServingModel

/// What OpenAI's interface has and this service does not: answered as that, not as a wrong address.
enum OpenAIEndpoint {
    /// What stands behind `/v1/`, by its first word.
    static let notOffered = [
        "assistants", "audio", "batches", "containers", "conversations", "embeddings", "evals", "files", "fine_tuning",
        "images", "moderations", "organization", "realtime", "rerank", "responses", "threads", "uploads",
        "vector_stores",
        "videos",
    ]

    static func family(of path: String) -> String? {
        let parts = path.split(separator: "/", maxSplits: 2)
        guard path.hasPrefix("/v1/"), parts.count >= 2 else { return nil }
        let word = String(parts[1])
        return notOffered.contains(word) ? word : nil
    }

    static func refusal(of family: String) -> APIError {
        var error = APIError(
            Status(
                .unimplemented,
                .unsupported,
                "This service does not have /v1/\(family). It has /v1/chat/completions, /v1/completions and /v1/models."
            )
        )
        error.isFinal = true
        return error
    }
}
