internal import EngineInterface
internal import ServingModel

extension ReferenceEngine {
    func validate(_ request: SequenceRequest, promptCount: Int) throws(Status) {
        let context = description.contextLength
        guard promptCount < context else {
            throw Status(
                .invalidArgument,
                .promptTooLong,
                "the prompt has \(promptCount) tokens; the context of \(context) must also hold one of output"
            )
        }
        let resumed = request.resumedTokens.count
        guard request.maxTokens >= 1, request.maxTokens <= context - promptCount else {
            throw Status(
                .invalidArgument,
                .maxTokensOutOfRange,
                "max_tokens is \(request.maxTokens); after \(promptCount) prompt tokens the context of \(context) leaves "
                    + "1 to \(context - promptCount)"
            )
        }
        guard resumed < request.maxTokens else {
            throw Status(
                .invalidArgument,
                .maxTokensOutOfRange,
                "max_tokens is \(request.maxTokens), and \(resumed) tokens of output are there already"
            )
        }
        try text.validate(tokens: request.resumedTokens, of: "the resumed output")
    }

    static func validate(_ sampling: Sampling) throws(Status) {
        guard sampling.temperature.isFinite, sampling.temperature >= 0 else {
            throw Status(.invalidArgument, .invalidSampling, "temperature must be a number of at least 0")
        }
        guard sampling.topP > 0, sampling.topP <= 1 else {
            throw Status(.invalidArgument, .invalidSampling, "top_p must be above 0 and at most 1")
        }
        guard sampling.topK >= 0 else {
            throw Status(.invalidArgument, .invalidSampling, "top_k must be at least 0")
        }
        guard !sampling.stop.contains("") else {
            throw Status(.invalidArgument, .invalidSampling, "a stop string must not be empty")
        }
    }
}
