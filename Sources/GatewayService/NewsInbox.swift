internal import AladdinClient
internal import Synchronization

/// A query's news on their way from its client's thread to its connection's: in order, many at a time.
final class NewsInbox: Sendable {
    struct Item: Sendable {
        var news: QueryNews
        /// When it came here.
        var time: ContinuousClock.Instant
    }

    private struct State {
        var items: [Item] = []
        var isAnnounced = false
    }

    private let state = Mutex(State())
    private let isPatient: Bool
    private let announce: @Sendable () -> Void

    /// - Parameters:
    ///   - isPatient: whether nothing is of interest before the end, so that nobody need be woken for it.
    ///   - announce: called when there is something to take, and not again before it was taken.
    init(isPatient: Bool, announce: @escaping @Sendable () -> Void) {
        self.isPatient = isPatient
        self.announce = announce
        // A whole answer is seldom more events than this, and they are taken all at once.
        if isPatient { state.withLock { $0.items.reserveCapacity(8) } }
    }

    func put(_ news: QueryNews) {
        let isNew = state.withLock { state in
            state.items.append(Item(news: news, time: .now))
            if isPatient, case .event = news { return false }
            guard !state.isAnnounced else { return false }
            state.isAnnounced = true
            return true
        }
        if isNew { announce() }
    }

    func take() -> [Item] {
        state.withLock { state in
            defer { state.items = [] }
            state.isAnnounced = false
            return state.items
        }
    }
}
