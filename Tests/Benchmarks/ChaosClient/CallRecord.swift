internal import AladdinClient
internal import Foundation
internal import ServingModel

/// What was heard of one query in one call, as the chaos run's judge reads it; `Tests/Chaos/history.py` has the format.
struct CallRecord {
    let query: ChaosQuery
    private let began = CallRecord.now()
    private var events: [[Any]] = []
    private(set) var isAccepted = false

    init(_ query: ChaosQuery) {
        self.query = query
    }

    /// The clock that the processes of a run share.
    static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// - Returns: a line to write at once, which must outlive this process.
    mutating func add(_ event: QueryEvent) -> [String: Any]? {
        switch event {
        case .accepted(let id):
            isAccepted = true
            events.append(["accepted", id, query.durability])
            return [
                "query": query.number, "accepted": id, "level": query.durability, "duplicate": false,
                "at": Self.now(),
            ]
        case .started(_, let attempt, _):
            events.append(["started", attempt])
        case .tokens(let first, let count, _, let text):
            add(tokensFrom: first, count, text)
        case .reset(let index):
            events.append(["reset", index])
        case .finished(_, _, let outputTokens):
            events.append(["finished", outputTokens])
        }
        return nil
    }

    private mutating func add(tokensFrom first: Int, _ count: Int, _ text: String) {
        if let last = events.last, last.first as? String == "tokens", let start = last[1] as? Int,
            let length = last[2] as? Int, let before = last[3] as? String, start + length == first
        {
            events[events.count - 1] = ["tokens", start, length + count, before + text]
        } else {
            events.append(["tokens", first, count, text])
        }
    }

    /// - Parameter end: nil where the connection was lost.
    func object(end: [String]?) -> [String: Any] {
        [
            "query": query.number, "call": "generate", "from": 0, "seen": 0, "began": began, "ended": Self.now(),
            "events": events, "end": end ?? NSNull(),
        ]
    }
}

extension Status {
    /// Code and reason as the protocol spells them; nil for what only says that there was no broker.
    var written: [String]? {
        if code == .unavailable, reason == .none || reason == .sessionExpired { return nil }
        var word = ""
        for character in String(describing: code == .internalError ? "internal" : "\(code)") {
            word += (character.isUppercase ? "_" : "") + character.uppercased()
        }
        return [word, reason.label.uppercased()]
    }
}
