/// The software behind an address, as far as it changes what is asked of it.
enum ServerKind: String, Hashable, Sendable {
    case vllm = "vLLM"
    case llamaCpp = "llama.cpp"
    case sglang = "SGLang"
    /// Speaks OpenAI's interface; beyond that nothing is taken for granted.
    case other = "an OpenAI-compatible server"

    /// - Parameter owner: `owned_by` of a model in the list of models.
    init(owner: String?) {
        switch owner?.lowercased() {
        case "vllm": self = .vllm
        case "llamacpp": self = .llamaCpp
        case "sglang": self = .sglang
        default: self = .other
        }
    }

    /// Whether it keeps beginnings of prompts in its KV cache unless it is told otherwise.
    var keepsPrefixes: Bool { self != .other }

    /// How many sequences it runs at once unless it is told otherwise; it may not say.
    var usualSequences: Int {
        switch self {
        case .vllm: 256
        case .sglang: 128
        case .llamaCpp: 1
        case .other: 32
        }
    }
}
