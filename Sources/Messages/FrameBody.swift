/// The body of a frame: bytes, or the message that they would say, from a peer of the same process.
package enum FrameBody: Sendable {
    case bytes([UInt8])
    case message(any WireMessage)

    /// Encoded now, if it is a message.
    package var bytes: [UInt8] {
        switch self {
        case .bytes(let bytes): bytes
        case .message(let message): message.encode()
        }
    }

    /// The message, which bytes are decoded to and checked for.
    ///
    /// A message of another type than the one that is wanted is refused, or misunderstood, as its bytes would be.
    package func decoded<Message: WireMessage>(as type: Message.Type) throws(DecodingFailure) -> Message {
        switch self {
        case .bytes(let bytes): return try Message.decode(bytes)
        case .message(let message):
            if let message = message as? Message { return message }
            return try Message.decode(message.encode())
        }
    }
}
