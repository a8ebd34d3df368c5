internal import Logging
internal import ServingModel
internal import Sessions
internal import Synchronization
internal import ZeroMQ

/// Tells the operator of keys that were refused, without letting strangers fill the log.
final class RefusalLog: Sendable {
    private static let rate = Rate(perSecond: 0.5, burst: 20)

    private struct State {
        /// Nil until the broker has knocked at its own doors.
        var bucket: TokenBucket?
        var untold = 0
    }

    private let logger: Logger
    private let state = Mutex(State())

    init(logger: Logger) {
        self.logger = logger
    }

    func open() {
        state.withLock { $0.bucket = TokenBucket(Self.rate, at: PollLoop.now()) }
    }

    func note(_ question: ZAPHandler.Question) {
        let untold: Int? = state.withLock { state in
            guard state.bucket?.take(at: PollLoop.now()) == true else {
                if state.bucket != nil { state.untold += 1 }
                return nil
            }
            defer { state.untold = 0 }
            return state.untold
        }
        guard let untold else { return }
        logger.notice(
            "a key was refused",
            metadata: [
                "endpoint": "\(question.domain)", "key": "\(question.key)", "from": "\(question.address)",
                "untold": "\(untold)",
            ]
        )
    }
}
