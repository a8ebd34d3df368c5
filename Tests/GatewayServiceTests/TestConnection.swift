internal import NIOCore
internal import NIOPosix

/// A TCP connection to the gateway under test.
struct TestConnection {
    struct Response {
        var status: Int
        /// Names in lower case.
        var headers: [String: String]
        var body: String
    }

    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var parser = HTTPResponseParser()

    /// Connects, runs `body`, closes.
    static func open<Value>(port: Int, _ body: (inout TestConnection) async throws -> Value) async throws -> Value {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true)
                    )
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            var connection = TestConnection(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            return try await body(&connection)
        }
    }

    private init(
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.inbound = inbound
        self.outbound = outbound
    }

    func send(_ text: String) async throws {
        try await outbound.write(ByteBuffer(string: text))
    }

    /// Shuts down the sending side only.
    func finishSending() {
        outbound.finish()
    }

    func sendRequest(
        _ method: String,
        _ path: String,
        headers: [String: String] = [:],
        body: String? = nil
    ) async throws {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: gateway.test\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
        try await send(text + "\r\n" + (body ?? ""))
    }

    /// Sends a request and reads the whole response.
    mutating func request(
        _ method: String,
        _ path: String,
        headers: [String: String] = [:],
        body: String? = nil
    ) async throws -> Response {
        try await sendRequest(method, path, headers: headers, body: body)
        return try await response(hasBody: method != "HEAD")
    }

    mutating func response(hasBody: Bool = true) async throws -> Response {
        let head = try await head()
        var body = ""
        if hasBody {
            switch try HTTPResponseParser.framing(of: head) {
            case .length(let length): body = try await wait { $0.body(length: length) }
            case .chunked: while let chunk = try await chunk() { body += chunk }
            }
        }
        return Response(status: head.status, headers: head.headers, body: body)
    }

    mutating func head() async throws -> HTTPResponseParser.Head {
        try await wait { try $0.head() }
    }

    /// The next chunk of a chunked body; nil at its end.
    mutating func chunk() async throws -> String? {
        let chunk = try await wait { try $0.chunk() }
        return chunk.isEmpty ? nil : chunk
    }

    /// Whether the server closes the connection without sending anything more.
    mutating func isClosedByServer() async throws -> Bool {
        guard !parser.hasLeftovers else { return false }
        return try await inbound.next(isolation: #isolation) == nil
    }

    private mutating func wait<Value>(for read: (inout HTTPResponseParser) throws -> Value?) async throws -> Value {
        while true {
            if let value = try read(&parser) { return value }
            guard let buffer = try await inbound.next(isolation: #isolation) else {
                throw HTTPResponseParser.Failure(description: "the server closed the connection early")
            }
            parser.append(buffer.readableBytesView)
        }
    }
}
