internal import ServingModel
internal import Testing

@testable internal import GatewayService

@Suite("Errors")
struct APIErrorTests {
    @Test(
        "Each status code has its HTTP status and OpenAI's type",
        arguments: [
            (.ok, 500, "server_error"), (.cancelled, 499, "request_cancelled"), (.unknown, 500, "server_error"),
            (.invalidArgument, 400, "invalid_request_error"), (.deadlineExceeded, 504, "timeout_error"),
            (.notFound, 404, "invalid_request_error"), (.alreadyExists, 409, "conflict_error"),
            (.permissionDenied, 403, "permission_error"), (.resourceExhausted, 429, "rate_limit_error"),
            (.failedPrecondition, 400, "invalid_request_error"), (.aborted, 409, "conflict_error"),
            (.outOfRange, 400, "invalid_request_error"), (.unimplemented, 501, "server_error"),
            (.internalError, 500, "server_error"), (.unavailable, 503, "overloaded_error"),
            (.dataLoss, 500, "server_error"), (.unauthenticated, 401, "authentication_error"),
        ] as [(StatusCode, Int, String)]
    )
    func mapping(code: StatusCode, status: Int, type: String) {
        let error = APIError(Status(code, .none, "So."))
        #expect(error.status == status)
        #expect(error.type == type)
        #expect(error.message == "So.")
        #expect(error.code == nil)
        #expect((error.retryAfter != nil) == (status == 429 || status == 503))
    }

    @Test("A reason is the code and points at its field")
    func reasons() {
        #expect(APIError(Status(.notFound, .unknownModel)).code == "model_not_found")
        #expect(APIError(Status(.notFound, .unknownModel)).param == "model")
        #expect(APIError(Status(.invalidArgument, .promptTooLong), kind: .chat).param == "messages")
        #expect(APIError(Status(.invalidArgument, .promptTooLong), kind: .text).param == "prompt")
        #expect(APIError(Status(.invalidArgument, .maxTokensOutOfRange)).param == "max_tokens")
        let full = APIError(Status(.resourceExhausted, .objectiveUnreachable))
        #expect(full.code == "objective_unreachable")
        #expect(full.message == "The query ended with: objective unreachable.")
    }

    @Test(
        "Retry-After is in whole seconds, rounded up, at least 1",
        arguments: [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (59_500, 60)] as [(Int64, Int64)]
    )
    func retryAfter(milliseconds: Int64, seconds: Int64) {
        #expect(APIError.wholeSeconds(.milliseconds(milliseconds)) == seconds)
    }

    @Test("Errors that are no status are told without their inside")
    func others() {
        struct Secret: Error {}
        #expect(APIError(Secret()).status == 500)
        #expect(!APIError(Secret()).message.contains("Secret"))
        #expect(APIError(CancellationError()).code == "shutting_down")
        #expect(APIError(Interruption.clientGone).status == 499)
        #expect(APIError(Interruption.shuttingDown).status == 503)
    }
}
