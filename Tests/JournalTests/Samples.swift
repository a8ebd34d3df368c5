import Brokering
import ServingModel

/// Records with something in every field.
enum Samples {
    static let start = UnixTime(milliseconds: 1_790_000_000_000)

    static func query(
        _ number: UInt64,
        durability: Durability = .accept,
        key: String? = nil,
        arrival: UnixTime = start,
        requestBytes: Int = 40
    ) -> AcceptedQuery {
        AcceptedQuery(
            number: QueryNumber(rawValue: number),
            id: QueryID(unixMilliseconds: UInt64(arrival.milliseconds), random: (number, number << 2)),
            durability: durability,
            owner: "tenant-\(number % 3)",
            idempotencyKey: key,
            requestHash: 0xFEDC_BA98_7654_3210 ^ number,
            model: "aladdin-tiny",
            inputTokens: number.isMultiple(of: 2) ? nil : Int(number % 500) + 1,
            promptBytes: Int(number % 7) + 1,
            maxTokens: 64,
            outputTokensHint: number.isMultiple(of: 5) ? 20 : nil,
            objective: ServiceLevelObjective(timeToFirstToken: .milliseconds(700), averageTokenTime: .milliseconds(45)),
            priority: Int(number % 5) - 2,
            tenant: "t\(number % 2) ü",
            arrival: arrival,
            deadline: number.isMultiple(of: 3) ? UnixTime(milliseconds: arrival.milliseconds + 60_000) : nil,
            request: OpaqueRequest(bytes(requestBytes, seed: number))
        )
    }

    private static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }

    static func failure(attempt: Int) -> FailedAttempt {
        FailedAttempt(
            attempt: attempt,
            worker: "worker-\(attempt)",
            at: UnixTime(milliseconds: start.milliseconds + Int64(attempt)),
            code: .unavailable,
            reason: .workerLost,
            message: "the worker fell silent",
            outputTokens: attempt * 3,
            suspects: attempt + 1
        )
    }

    static func part(_ firstIndex: Int, count: Int = 4, hasIDs: Bool = true) -> OutputPart {
        let text = Array("tökens \(firstIndex) ".utf8)
        let rest = OutputPart.Piece(tokens: UInt32(max(count - 1, 0)), bytes: UInt32(text.count) - 3)
        return OutputPart(
            firstIndex: firstIndex,
            count: count,
            ids: hasIDs ? (0..<count).map { Int32(firstIndex + $0) * -7 } : [],
            text: text,
            pieces: count.isMultiple(of: 2) ? [OutputPart.Piece(tokens: UInt32(min(count, 1)), bytes: 3), rest] : []
        )
    }

    static func end(_ number: UInt64, at time: UnixTime = start, tokens: Int = 12) -> QueryEnd {
        guard number.isMultiple(of: 4) == false else {
            return QueryEnd(at: time, code: .cancelled, reason: .cancelledByClient, message: "cancelled")
        }
        return QueryEnd(
            at: time,
            code: .ok,
            finish: .length,
            inputTokens: 17,
            output: part(0, count: tokens),
            attempt: 2,
            worker: "worker-1",
            firstToken: .milliseconds(312),
            lastToken: Interval(nanoseconds: 1_234_567_891),
            metObjective: true,
            rewrites: number.isMultiple(of: 3) ? [Rewrite(attempt: 2, index: 0), Rewrite(attempt: 3, index: 7)] : []
        )
    }
}
