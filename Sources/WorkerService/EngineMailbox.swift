internal import EngineInterface
internal import ServingModel
internal import Synchronization
internal import ZeroMQ

/// What a streaming engine has told from whatever thread, until the worker's loop takes it: in order, many at a time.
final class EngineMailbox: Sendable {
    enum Event: Sendable {
        case condition(EngineCondition)
        case tokens(SequenceID, StreamedTokens, at: Instant)
        case ended(SequenceID, Result<StreamedEnd, Status>, at: Instant)
    }

    private struct State {
        var events: [Event] = []
        var loop: PollLoop?

        /// Adds an event, or what it says to the one before.
        mutating func add(_ event: Event) {
            if case .tokens(let id, let more, let time) = event, case .tokens(id, var tokens, _)? = events.last,
                tokens.ids.isEmpty == more.ids.isEmpty
            {
                tokens.append(more)
                events[events.endIndex - 1] = .tokens(id, tokens, at: time)
            } else {
                events.append(event)
            }
        }
    }

    private let state = Mutex(State())

    /// - Parameter loop: woken whenever the first event comes in; its `onCycle` is to take them.
    func open(for loop: PollLoop) {
        state.withLock { $0.loop = loop }
        loop.wake()
    }

    /// Tokens that follow on others of their query before those were taken are told together with them.
    func put(_ event: Event) {
        let loop = state.withLock { state in
            state.add(event)
            return state.events.count == 1 ? state.loop : nil
        }
        loop?.wake()
    }

    func take() -> [Event] {
        state.withLock { state in
            defer { state.events = [] }
            return state.events
        }
    }
}
