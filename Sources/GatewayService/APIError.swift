internal import HTTPTypes
internal import Hummingbird
internal import NIOHTTPTypes
internal import ServingModel

/// An error in the shape that OpenAI's clients understand.
struct APIError: Error, Hashable, Sendable {
    /// HTTP status code.
    var status: Int
    var message: String
    /// OpenAI's family of the error, such as `invalid_request_error`.
    var type: String
    /// The field or header at fault.
    var param: String?
    /// The reason, for programs.
    var code: String?
    /// When trying again may help.
    var retryAfter: Interval?
    /// Whether trying again is of no use although the status suggests it; OpenAI's clients heed that.
    var isFinal = false
    /// Methods that the route knows, for 405.
    var allow: String?

    /// A request that can't be understood or served as it is: 400 unless said otherwise.
    static func invalidRequest(
        _ message: String,
        param: String? = nil,
        code: String? = nil,
        status: Int = 400
    ) -> APIError {
        APIError(status: status, message: message, type: "invalid_request_error", param: param, code: code)
    }

    /// The object `{"error":{"message":…,"type":…,"param":…,"code":…}}`.
    func json() -> ByteBuffer {
        var json = JSONWriter()
        write(to: &json)
        return json.buffer
    }

    func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("error")
            json.object { json in
                json.field("message", message)
                json.field("type", type)
                json.field("param", param)
                json.field("code", code)
            }
        }
    }

    func response() -> Response {
        Response(status: .init(code: status), headers: headers, body: ResponseBody(byteBuffer: json()))
    }

    /// The same for who writes parts.
    var parts: [HTTPResponsePart] {
        let body = json()
        return [.head(HTTPResponse(status, headers, length: body.readableBytes)), .body(body), .end(nil)]
    }

    private var headers: HTTPFields {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let retryAfter { headers[.retryAfter] = String(Self.wholeSeconds(retryAfter)) }
        if isFinal { headers[.shouldRetry] = "false" }
        if let allow { headers[.allow] = allow }
        if status == 401 { headers[.wwwAuthenticate] = "Bearer" }
        return headers
    }

    /// Whole seconds, rounded up, at least 1.
    static func wholeSeconds(_ interval: Interval) -> Int64 {
        let (quotient, remainder) = interval.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return max(1, remainder > 0 ? quotient + 1 : quotient)
    }
}
