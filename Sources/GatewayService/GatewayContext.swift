internal import Hummingbird
internal import Logging
internal import NIOCore

/// What accompanies a request: its connection and its logger.
struct GatewayContext: InitializableFromSource {
    let channel: any Channel
    let logger: Logger

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
        logger = source.logger
    }

    /// The signal that the client has closed the connection; raised already if it is closed.
    func connectionClosed() async -> OneShotSignal {
        do {
            return try await channel.pipeline.handler(type: ConnectionCloseHandler.self).get().closed
        } catch {
            // A closed channel has no handlers any more.
            let closed = OneShotSignal()
            closed.raise()
            return closed
        }
    }
}
