internal import AladdinClient
internal import HTTPTypes
internal import JSON
internal import ServingModel

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A completion request, read and checked: what to ask the service, and how to answer.
struct GenerationCall: Sendable {
    var kind: CompletionKind
    var query: QueryRequest
    /// Server-sent events instead of one object.
    var isStreaming: Bool
    /// A last chunk with the token counts.
    var includesUsage: Bool

    /// Reads a request.
    ///
    /// - Throws: an `APIError` of status 400 that names the field or header at fault.
    init(
        _ kind: CompletionKind,
        body: [UInt8],
        headers: HTTPFields,
        configuration: GatewayConfiguration
    ) throws(APIError) {
        let fields = try Self.decode(body)
        if fields.includeUsage != nil, !fields.stream {
            throw .invalidRequest("'stream_options' needs 'stream' to be true.", param: "stream_options")
        }
        let maxTokens = fields.maxTokens ?? configuration.defaultMaxTokens
        guard (1...Int(Int32.max)).contains(maxTokens) else {
            let code = Reason.maxTokensOutOfRange.label
            let problem = "'max_tokens' must be at least 1 and fit in 32 bits."
            throw .invalidRequest(problem, param: "max_tokens", code: code)
        }
        self.kind = kind
        isStreaming = fields.stream
        includesUsage = fields.includeUsage ?? false
        query = QueryRequest(
            model: fields.model ?? configuration.defaultModel,
            input: try Self.input(kind, fields),
            maxTokens: maxTokens,
            sampling: try Self.sampling(fields, configuration),
            metadata: try QueryHeaders.metadata(from: headers)
        )
    }

    private static func decode(_ bytes: [UInt8]) throws(APIError) -> GenerationBody {
        guard !bytes.isEmpty else { throw .invalidRequest("The request has no body; a JSON object is needed.") }
        if let usual = GenerationBody(usual: bytes) { return usual }
        do {
            return try JSONDecoder().decode(GenerationBody.self, from: Data(bytes))
        } catch let error as APIError {
            throw error
        } catch DecodingError.dataCorrupted {
            let position = JSONFault(in: bytes).map { " at line \($0.line), column \($0.column)" } ?? ""
            throw .invalidRequest("The request's body is not valid JSON\(position).", code: Reason.malformed.label)
        } catch {
            throw .invalidRequest("The request's body must be a JSON object.", code: Reason.malformed.label)
        }
    }

    private static func input(_ kind: CompletionKind, _ fields: GenerationBody) throws(APIError) -> PromptInput {
        let input: PromptInput? =
            switch kind {
            case .chat: fields.messages.map { .chat($0.map(\.message)) }
            case .text: fields.prompt?.input
            }
        let param = kind.promptField
        guard let input else { throw .invalidRequest("'\(param)' is missing.", param: param) }
        let isEmpty =
            switch input {
            case .text(let text): text.isEmpty
            case .chat(let messages): messages.isEmpty
            case .tokens(let tokens): tokens.isEmpty
            }
        guard !isEmpty else {
            throw .invalidRequest("'\(param)' must not be empty.", param: param, code: Reason.emptyPrompt.label)
        }
        if case .tokens(let tokens) = input, tokens.contains(where: { $0 < 0 }) {
            throw .invalidRequest("'\(param)' has a negative token id.", param: param)
        }
        return input
    }

    private static func sampling(
        _ fields: GenerationBody,
        _ configuration: GatewayConfiguration
    ) throws(APIError) -> Sampling {
        let temperature = fields.temperature ?? configuration.defaultTemperature
        guard (0...2).contains(temperature) else { throw invalidSampling("temperature", "from 0 to 2") }
        let topP = fields.topP ?? 1
        guard topP > 0, topP <= 1 else { throw invalidSampling("top_p", "above 0 and at most 1") }
        // vLLM's clients say -1 for all tokens.
        let topK = fields.topK == -1 ? 0 : fields.topK ?? 0
        guard (0...Int(Int32.max)).contains(topK) else { throw invalidSampling("top_k", "0 or more, or -1 for all") }
        guard fields.stop.count <= 4, fields.stop.allSatisfy({ !$0.isEmpty }) else {
            throw invalidSampling("stop", "at most 4 strings, none of them empty")
        }
        return Sampling(temperature: temperature, topP: topP, topK: topK, seed: fields.seed, stop: fields.stop)
    }

    private static func invalidSampling(_ param: String, _ expected: String) -> APIError {
        .invalidRequest("'\(param)' must be \(expected).", param: param, code: Reason.invalidSampling.label)
    }
}
