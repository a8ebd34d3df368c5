internal import Brokering
internal import Foundation
internal import Journal
internal import ServingModel
internal import Testing

/// A journal as a broker would have left it: arrivals, lengths and times drawn from a seed.
struct RecordedJournal {
    let directory: String
    /// What the replay should count.
    private(set) var ended = 0
    private(set) var met = 0

    /// - Parameters:
    ///   - queries: of model `imitation`; every hundredth is unfinished, every fiftieth failed before its first token.
    ///   - rate: arrivals a second.
    init(in directory: String, queries: Int, rate: Double, workers: Int) throws {
        self.directory = directory
        var generator = SeededGenerator(seed: 11)
        let start = UnixTime(milliseconds: 1_790_000_000_000)
        let journal = SQLiteJournal(directory: directory) { start }
        _ = try journal.recover()
        journal.start { if case .failed(let failure) = $0 { Issue.record(failure) } }
        var seconds = 0.0
        for number in 1...UInt64(queries) {
            seconds += Double(generator.next() % 2000) / 1000 / rate
            let arrival = UnixTime(milliseconds: start.milliseconds + Int64(seconds * 1000))
            let query = Self.query(number, arrival, &generator)
            journal.append([.accepted(query)])
            guard !number.isMultiple(of: 100) else { continue }
            let end = Self.end(of: query, workers: workers, &generator)
            journal.append([.ended(query.number, end)])
            guard end.output.count > 0 else { continue }
            ended += 1
            met += end.metObjective ? 1 : 0
        }
        journal.close()
    }

    private static func query(
        _ number: UInt64,
        _ arrival: UnixTime,
        _ generator: inout SeededGenerator
    ) -> AcceptedQuery {
        AcceptedQuery(
            number: QueryNumber(rawValue: number),
            id: QueryID(unixMilliseconds: UInt64(arrival.milliseconds), random: (generator.next(), generator.next())),
            model: "imitation",
            promptBytes: 100,
            maxTokens: 100,
            objective: ServiceLevelObjective(timeToFirstToken: .milliseconds(500), averageTokenTime: .milliseconds(50)),
            priority: Int(number % 3),
            tenant: number.isMultiple(of: 2) ? "even" : "odd",
            arrival: arrival,
            request: OpaqueRequest(Array("a prompt".utf8))
        )
    }

    private static func end(
        of query: AcceptedQuery,
        workers: Int,
        _ generator: inout SeededGenerator
    ) -> QueryEnd {
        let number = query.number.rawValue
        guard !number.isMultiple(of: 50) else {
            return QueryEnd(at: query.arrival, code: .deadlineExceeded, reason: .deadlineExpired)
        }
        let tokens = 1 + Int(generator.next() % 40)
        let first = Interval.milliseconds(20 + Int64(generator.next() % 600))
        let last = first + .milliseconds(Int64(tokens - 1) * 12)
        return QueryEnd(
            at: UnixTime(milliseconds: query.arrival.milliseconds + last.nanoseconds / 1_000_000),
            code: .ok,
            finish: .stop,
            inputTokens: 10 + Int(generator.next() % 90),
            output: OutputPart(firstIndex: 0, count: tokens, ids: [], text: Array("an answer".utf8)),
            worker: "worker-\(Int(number) % workers + 1)",
            firstToken: first,
            lastToken: last,
            metObjective: first <= query.objective.timeToFirstToken
        )
    }
}
