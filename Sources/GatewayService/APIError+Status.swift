internal import ServingModel

extension APIError {
    /// The HTTP face of a query's status, mapped as gRPC gateways do.
    init(_ status: Status, kind: CompletionKind? = nil) {
        let (code, type) = Self.httpStatus(of: status.code)
        let isUnknownModel = status.reason == .unknownModel
        let busy = status.code == .resourceExhausted || status.code == .unavailable
        self.init(
            status: code,
            message: status.message.isEmpty ? Self.sentence(for: status) : status.message,
            type: type,
            param: Self.param(of: status.reason, kind),
            code: isUnknownModel ? "model_not_found" : status.reason == .none ? nil : status.reason.label,
            retryAfter: busy ? status.retryAfter ?? .seconds(1) : status.retryAfter
        )
    }

    /// Any error that ended a query; what is not a `Status` is the gateway's own fault.
    init(_ error: any Error, kind: CompletionKind? = nil) {
        switch error {
        case let error as APIError: self = error
        case let status as Status: self.init(status, kind: kind)
        case Interruption.clientGone, Interruption.clientStalled:
            self.init(Status(.cancelled, .clientGone, "The client closed the connection."), kind: kind)
        case is CancellationError, Interruption.shuttingDown:
            self.init(Status(.unavailable, .shuttingDown, "The gateway is shutting down; try again."), kind: kind)
        default: self.init(Status(.internalError, .none, "The gateway failed to answer."), kind: kind)
        }
    }

    /// HTTP status and OpenAI's type of a status code.
    static func httpStatus(of code: StatusCode) -> (status: Int, type: String) {
        switch code {
        case .invalidArgument, .outOfRange, .failedPrecondition: (400, "invalid_request_error")
        case .unauthenticated: (401, "authentication_error")
        case .permissionDenied: (403, "permission_error")
        case .notFound: (404, "invalid_request_error")
        case .alreadyExists, .aborted: (409, "conflict_error")
        case .resourceExhausted: (429, "rate_limit_error")
        case .cancelled: (499, "request_cancelled")
        case .unimplemented: (501, "server_error")
        case .unavailable: (503, "overloaded_error")
        case .deadlineExceeded: (504, "timeout_error")
        case .ok, .unknown, .internalError, .dataLoss: (500, "server_error")
        }
    }

    /// The field that a reason is about, if it is about one.
    private static func param(of reason: Reason, _ kind: CompletionKind?) -> String? {
        switch reason {
        case .unknownModel: "model"
        case .emptyPrompt, .promptTooLong: kind?.promptField
        case .maxTokensOutOfRange: "max_tokens"
        default: nil
        }
    }

    private static func sentence(for status: Status) -> String {
        let word = status.reason == .none ? String(describing: status.code) : status.reason.label
        return "The query ended with: \(word.replacing("_", with: " "))."
    }
}
