internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Where handlers find the server that they belong to, which is made after its listener.
final class HandlerBox: Sendable {
    let server = Mutex<StandInServer?>(nil)
}

/// One connection: gathers requests and has them served, one after the other.
final class StandInHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let box: HandlerBox
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    /// Of the last completion that was asked for.
    private var answer: StandInAnswer?

    init(_ box: HandlerBox) {
        self.box = box
    }

    private var server: StandInServer? { box.server.withLock { $0 } }

    func channelActive(context: ChannelHandlerContext) {
        server?.opened(context.channel)
    }

    func channelInactive(context: ChannelHandlerContext) {
        server?.closed(context.channel, inAnswer: answer?.isUnfinished ?? false)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let buffer):
            body += buffer.readableBytesView
        case .end:
            guard let head, let server else { return }
            let request = StandInRequest(
                method: head.method.rawValue,
                path: head.uri,
                authorization: head.headers.first(name: "authorization"),
                traceparent: head.headers.first(name: "traceparent"),
                tracestate: head.headers.first(name: "tracestate"),
                body: body
            )
            let answer = StandInAnswer(context.channel, model: server.model)
            if request.isCompletion { self.answer = answer }
            // A handler cannot wait; the answer ends with its channel at the latest.
            Task { try? await server.serve(request, answer) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
