import Brokering
import ServingModel

/// A random life of a broker, as the records it would write: seeded, so that a run can be had again.
struct RecordStream {
    private enum Stage { case unfinished, ended }

    private var generator: SeededGenerator
    private var next: UInt64
    private var queries: [(number: UInt64, stage: Stage, attempt: Int, tokens: Int, isStream: Bool)] = []
    private(set) var lastTime = Samples.start

    init(seed: UInt64, firstNumber: UInt64 = 1) {
        generator = SeededGenerator(seed: seed)
        next = firstNumber
    }

    mutating func records(_ count: Int) -> [JournalRecord] {
        (0..<count).map { _ in record() }
    }

    private mutating func draw(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }

    private mutating func record() -> JournalRecord {
        lastTime.milliseconds += Int64(draw(50))
        guard !queries.isEmpty, draw(4) > 0 else { return accept() }
        let index = draw(queries.count)
        let query = queries[index]
        let number = QueryNumber(rawValue: query.number)
        guard query.stage == .unfinished else {
            queries.remove(at: index)
            return .acknowledged(number)
        }
        switch draw(8) {
        case 0, 1:
            return .leased(number, attempt: query.attempt, Lease(rawValue: generator.next()))
        case 2:
            queries[index].attempt += 1
            return .retried(number, attempt: query.attempt + 1, Samples.failure(attempt: query.attempt))
        case 3:
            queries[index].attempt += 1
            return .resumed(number, attempt: query.attempt + 1, restarts: draw(3))
        case 4 where query.isStream, 5 where query.isStream:
            let count = draw(6) + 1
            queries[index].tokens += count
            return .checkpoint(number, Samples.part(query.tokens, count: count, hasIDs: query.number.isMultiple(of: 2)))
        case 6 where query.isStream:
            queries[index].tokens = 0
            return .reset(number)
        default:
            queries[index].stage = .ended
            return .ended(number, Samples.end(query.number, at: lastTime, tokens: draw(40)))
        }
    }

    private mutating func accept() -> JournalRecord {
        let number = next
        next += UInt64(draw(3)) + 1
        let isStream = draw(2) == 0
        queries.append((number, .unfinished, 1, 0, isStream))
        return .accepted(
            Samples.query(
                number,
                durability: isStream ? .stream : .accept,
                key: draw(2) == 0 ? "key-\(number)" : nil,
                arrival: lastTime,
                requestBytes: [0, 40, 700, 9000][draw(4)]
            )
        )
    }
}
