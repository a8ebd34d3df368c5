internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes
internal import ServingModel

/// Answers completions on the event loop of their connection, and passes on all other requests.
///
/// Requests of a connection are answered in turn: what comes of the next before the answer to the one before is written is
/// held back, and nothing more is read then. A connection that its client wants closed, or has closed its side of, is closed
/// when the last byte has been handed to the kernel, never before.
final class CompletionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// Whose turn it is.
    private enum Turn {
        case nobody
        /// A completion's.
        case own(CompletionExchange)
        /// A request's that others answer.
        case others
        /// The connection ends with the answer that is on its way.
        case over
    }

    private let gateway: GatewayResponder
    private let dates: DateHeader
    private var turn = Turn.nobody
    /// Of the request whose turn it is: whether it has come to its end, and whether its answer has.
    private var isRead = false
    private var isAnswered = false
    private var closesAfterwards = false
    private var held = CircularBuffer<HTTPRequestPart>()
    private var wantsToRead = false
    /// Runs while the client takes nothing of a stream.
    private var stall: Scheduled<Void>?

    init(_ gateway: GatewayResponder, _ dates: DateHeader) {
        self.gateway = gateway
        self.dates = dates
    }

    private var isClosing: Bool {
        if case .over = turn { true } else { false }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        guard !isClosing else { return }
        if isRead || !held.isEmpty { held.append(part) } else { take(part, context) }
    }

    func read(context: ChannelHandlerContext) {
        if held.isEmpty { context.read() } else { wantsToRead = true }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        if case .others = turn, case .end = unwrapOutboundIn(data) {
            isAnswered = true
            finishTurn(context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .inputClosed? = event as? ChannelEvent, case .own(let exchange) = turn else {
            return context.fireUserInboundEventTriggered(event)
        }
        closesAfterwards = true
        // An answer that was there before its request came to its end is all that there is to write.
        if exchange.isOver { context.close(promise: nil) } else { exchange.interrupt(.clientGone) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard case .own(let exchange) = turn, !exchange.isOver else { return context.fireErrorCaught(error) }
        // Nothing after this can be understood; an answer that is under way comes first.
        closesAfterwards = true
        exchange.requestBroke()
    }

    func channelInactive(context: ChannelHandlerContext) {
        stall?.cancel()
        if case .own(let exchange) = turn { exchange.interrupt(.clientGone) }
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        watchForStall(context)
        context.fireChannelWritabilityChanged()
    }

    private func take(_ part: HTTPRequestPart, _ context: ChannelHandlerContext) {
        if case .head(let head) = part { beginTurn(head, context) }
        if case .end = part { isRead = true }
        switch (turn, part) {
        case (.own, .head): break
        case (.own(let exchange), .body(let bytes)): exchange.read(bytes)
        case (.own(let exchange), .end):
            exchange.ask()
            finishTurn(context)
        case (.over, _): break
        case (.others, .end):
            context.fireChannelRead(wrapInboundOut(part))
            // The answer may have been there before its request's end, or have come just now.
            finishTurn(context)
        case (.others, _), (.nobody, _): context.fireChannelRead(wrapInboundOut(part))
        }
    }

    private func beginTurn(_ head: HTTPRequest, _ context: ChannelHandlerContext) {
        isRead = false
        isAnswered = false
        closesAfterwards = false
        guard let kind = Self.completion(head) else {
            turn = .others
            return
        }
        closesAfterwards = head.headerFields[.connection]?.lowercased() == "close"
        let exchange = CompletionExchange(kind, head, at: gateway, on: context.eventLoop) {
            [unowned self, context] parts, ending in
            put(parts, ending, context)
        }
        turn = .own(exchange)
        exchange.begin()
    }

    private static func completion(_ head: HTTPRequest) -> CompletionKind? {
        guard head.method == .post, let path = head.path else { return nil }
        let hasParameters = path.utf8.contains(UInt8(ascii: "?"))
        let route = Route(path: hasParameters ? String(path.prefix { $0 != "?" }) : path)
        return if case .completion(let kind) = route { kind } else { nil }
    }

    /// Lets the next request have its turn, if this one's is over.
    private func finishTurn(_ context: ChannelHandlerContext) {
        guard isAnswered else { return }
        guard !closesAfterwards else {
            turn = .over
            return
        }
        guard isRead else { return }
        turn = .nobody
        isRead = false
        guard !held.isEmpty else { return }
        while !isRead, let part = held.popFirst() { take(part, context) }
        context.fireChannelReadComplete()
        guard held.isEmpty, wantsToRead else { return }
        wantsToRead = false
        context.read()
    }
}

extension CompletionHandler {
    private func put(_ parts: [HTTPResponsePart], _ ending: CompletionExchange.Ending, _ context: ChannelHandlerContext)
    {
        for part in parts {
            switch part {
            case .head(var response):
                response.headerFields.add(.date, dates.now)
                response.headerFields.add(.server, "aladdin")
                if closesAfterwards { response.headerFields.add(.connection, "close") }
                context.write(wrapOutboundOut(.head(response)), promise: nil)
            case .body:
                context.write(wrapOutboundOut(part), promise: nil)
            case .end:
                let promise = closesAfterwards ? context.eventLoop.makePromise(of: Void.self) : nil
                promise?.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
                context.write(wrapOutboundOut(part), promise: promise)
            }
        }
        context.flush()
        switch ending {
        case .more:
            watchForStall(context)
        case .end:
            isAnswered = true
            // What is left to take is no stream any more; the next one is watched for itself.
            stall?.cancel()
            stall = nil
            finishTurn(context)
        case .cut:
            context.close(promise: nil)
        }
    }

    /// Gives a client up that takes nothing of a stream for too long.
    private func watchForStall(_ context: ChannelHandlerContext) {
        guard case .own(let exchange) = turn, !exchange.isOver, !context.channel.isWritable else {
            stall?.cancel()
            stall = nil
            return
        }
        guard stall == nil else { return }
        let limit = TimeAmount.nanoseconds(gateway.configuration.stalledReaderTimeout.nanoseconds)
        stall = context.eventLoop.assumeIsolated().scheduleTask(in: limit) { exchange.interrupt(.clientStalled) }
    }
}
