internal import Brokering
internal import ServingModel

/// One client's process: its calls, and how well it reads.
struct FaultClient: Sendable {
    let owner: Int
    /// It takes so long for each message; a slow reader.
    let readingTime: Interval
    var nextStream: UInt64 = 0
    /// Calls open in this session, by stream.
    var open: [UInt64: Int] = [:]
    /// Calls to be made when there is a session.
    var waiting: [Int] = []
    /// Streams of acknowledgements.
    var acknowledging: [UInt64: QueryID] = [:]
    /// Arrived and not read, in order.
    var inbox: [(session: UInt64, stream: UInt64, delivery: Brokering.Delivery)] = []
    /// Whether it is busy with a message.
    var isReading = false
}

/// One wish of a client, over all its sessions.
struct FaultCall: Sendable {
    enum State: Hashable, Sendable {
        case waiting
        case open
        /// The query's end, a refusal, or the client's own cancellation.
        case done(Status)
        /// The client never comes back for it.
        case abandoned
    }

    let work: Int
    let client: Int
    /// Asks for something else under a name that is in use.
    var isVariant = false
    /// Wants what belongs to somebody else.
    var isIntruder = false
    var state = State.waiting
    /// Known from the acceptance, or from somebody who heard it.
    var id: QueryID?
    /// Whether to attach rather than submit.
    var attaches = false
    var tokens: [Int32] = [] { didSet { if tokens.isEmpty { pieces = [] } } }
    /// Where the pieces begin in which they were told.
    var pieces: [Int] = []
    var seenAttempt = 0
    var isAccepted = false
    var finished: Int?
    var refusals = 0

    mutating func take(_ told: [Int32]) {
        pieces.append(tokens.count)
        tokens += told
    }

    /// Forgets what was told from `first` on.
    ///
    /// - Returns: whether that is whole pieces: nobody can forget a part of a text.
    mutating func takeBack(to first: Int) -> Bool {
        guard first < tokens.count else { return true }
        let isWhole = first == 0 || pieces.contains(first)
        pieces.removeAll { $0 >= first }
        tokens.removeSubrange(first...)
        return isWhole
    }

    var isOver: Bool {
        switch state {
        case .done, .abandoned: true
        case .waiting, .open: false
        }
    }
}
