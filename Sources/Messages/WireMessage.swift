/// A message that travels as the body of a frame.
package protocol WireMessage: Sendable {
    /// The body, in protobuf's wire format.
    ///
    /// Never fails: numbers beyond what the schema or a decoder takes are held at its bounds, metrics that are not finite
    /// become 0, and U+0000 in a text becomes U+FFFD, since protobuf-c's strings end at the first NUL.
    func encode() -> [UInt8]

    /// Reads a body and checks all of it; unknown fields are dropped.
    ///
    /// Safe on any input. Allocates at most a fixed multiple of the body (see `MessageArena`), all of it freed on return.
    static func decode(_ bytes: [UInt8]) throws(DecodingFailure) -> Self

    /// The same, straight from a buffer that outlives the call.
    static func decode(_ bytes: UnsafeRawBufferPointer) throws(DecodingFailure) -> Self

    /// Whether a peer of the same process may have the value as it is, since its bytes would say the same to it.
    ///
    /// False unless a type says otherwise, and for values that encoding changes or decoding refuses. Such a value is sent as
    /// bytes to everybody, so that nobody has to expect more from a peer of its thread than from others. Times alone may be
    /// more exact in a value.
    var travelsAsValue: Bool { get }
}

extension WireMessage {
    package var travelsAsValue: Bool { false }
}
