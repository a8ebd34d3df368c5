/// What a frame is, independent of what it carries (`aladdin.v1.FrameKind`).
package enum FrameKind: UInt8, Hashable, Sendable, CaseIterable {
    case hello = 1
    case welcome = 2
    case ping = 3
    case pong = 4
    case goodbye = 5
    case error = 6
    case call = 8
    case item = 9
    case end = 10
    case cancel = 11
    /// Items and ends of one session, each with its header: `FrameBundle`.
    case bundle = 12
}

/// The rpc that a stream belongs to (`aladdin.v1.Method`).
package enum Method: UInt16, Hashable, Sendable, CaseIterable {
    case unspecified = 0
    case generate = 1
    case attach = 2
    case listModels = 3
    case acknowledge = 4
    /// Of a query by its identifier; the frame kind `cancel` gives up one's own call.
    case cancelQuery = 5
    case work = 16
    case schedule = 32
    case getStatus = 48
    case explain = 49
}
