internal import NIOCore

/// Notices that a client has closed its side of the connection, also while nothing is read or written.
///
/// Hummingbird shows a closed connection only to who reads on from the request's body, at the price of the connection
/// itself (`consumeWithInboundCloseHandler`). This handler sees the event where it arrives, so that connections are
/// kept for the next request. A client that shuts down only its sending side counts as gone, as in most servers.
final class ConnectionCloseHandler: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = Any

    let closed = OneShotSignal()

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { closed.raise() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        closed.raise()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        closed.raise()
    }
}
