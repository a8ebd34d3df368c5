/// A value that can be made into the bytes that a peer elsewhere would be sent.
package protocol EncodableRequest: Sendable {
    func encode() -> [UInt8]

    /// What `encode` makes, in bytes; not found out by encoding.
    var encodedByteCount: Int { get }
}

/// A client's request in the hands of those who do not look into it: its bytes as they came, or the value that they would say.
///
/// A request that was made in this process is kept, and handed on, as the value it is: a prompt has one copy then, whoever
/// holds the request. It is encoded for those alone who need bytes.
package struct OpaqueRequest: Hashable, Sendable, ExpressibleByArrayLiteral {
    private enum Form: Sendable {
        case bytes([UInt8])
        case value(Held)
    }

    private let form: Form

    package init(_ bytes: [UInt8]) {
        form = .bytes(bytes)
    }

    package init(_ request: some EncodableRequest) {
        form = .value(HeldValue(request))
    }

    package init(arrayLiteral elements: UInt8...) {
        self.init(elements)
    }

    /// Its bytes, or those that it would have.
    package var count: Int {
        switch form {
        case .bytes(let bytes): bytes.count
        case .value(let held): held.count
        }
    }

    package var isEmpty: Bool { count == 0 }

    /// Encoded anew each time, if it is a value.
    package var bytes: [UInt8] {
        switch form {
        case .bytes(let bytes): bytes
        case .value(let held): held.encode()
        }
    }

    /// The value, if it is there and of this type; nil for one that came as bytes.
    package func value<Request: EncodableRequest>(as type: Request.Type) -> Request? {
        guard case .value(let held) = form else { return nil }
        return (held as? HeldValue<Request>)?.request
    }

    package static func == (one: OpaqueRequest, other: OpaqueRequest) -> Bool {
        if case (.value(let one), .value(let other)) = (one.form, other.form), one === other { return true }
        return one.bytes == other.bytes
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(bytes)
    }

    /// On the heap, so that a query's record has a pointer to it and no more.
    private class Held: @unchecked Sendable {
        let count: Int

        init(count: Int) {
            self.count = count
        }

        func encode() -> [UInt8] { preconditionFailure("a held request has a type") }
    }

    /// Unchecked as its class is: all that it has is immutable and can be sent.
    private final class HeldValue<Request: EncodableRequest>: Held, @unchecked Sendable {
        let request: Request

        init(_ request: Request) {
            self.request = request
            super.init(count: request.encodedByteCount)
        }

        override func encode() -> [UInt8] { request.encode() }
    }
}
