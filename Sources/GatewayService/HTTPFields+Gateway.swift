internal import HTTPTypes
internal import ServingModel

extension HTTPField.Name {
    static let accelBuffering = gateway("x-accel-buffering")
    static let shouldRetry = gateway("x-should-retry")
    static let traceParent = gateway("traceparent")
    static let traceState = gateway("tracestate")
    static let traceResponse = gateway("traceresponse")
    static let queryID = gateway("x-aladdin-query-id")
    static let worker = gateway("x-aladdin-worker")
    static let predictedTimeToFirstToken = gateway("x-aladdin-predicted-ttft-ms")

    /// A name that is known to be one; checked once, not with each request.
    static func gateway(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("'\(name)' is no name of a header") }
        return name
    }
}

extension HTTPFields {
    /// Adds what is known of a query: its identifier, its worker, what was predicted for it.
    mutating func describe(_ transcript: QueryTranscript) {
        if !transcript.id.isEmpty { add(.queryID, transcript.id) }
        if let worker = transcript.worker { add(.worker, worker) }
        if let prediction = transcript.predictedTimeToFirstToken {
            add(.predictedTimeToFirstToken, String((prediction.milliseconds * 1000).rounded() / 1000))
        }
    }

    /// Adds a field that is not there, without looking for it as the subscript does.
    mutating func add(_ name: HTTPField.Name, _ value: String) {
        append(HTTPField(name: name, value: value))
    }
}
