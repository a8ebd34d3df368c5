import Brokering
import ServingModel

/// A random life of a broker, as the records it would write: seeded, so that a run can be had again.
struct RecordStream {
    private enum Stage { case unfinished, ended }

    private var generator: SeededGenerator
    private var next: UInt64
    private struct Query {
        var number: UInt64
        var isStream: Bool
        var stage = Stage.unfinished
        var attempt = 1
        var isLeased = false
        var restarts = 0
        var tokens = 0
    }

    private var queries: [Query] = []
    private var lastLease: UInt64 = 0
    private(set) var lastTime = Samples.start

    init(seed: UInt64, firstNumber: UInt64 = 1) {
        generator = SeededGenerator(seed: seed)
        next = firstNumber
    }

    mutating func records(_ count: Int) -> [JournalRecord] {
        (0..<count).map { _ in record() }
    }

    /// Another broker goes on with what its journal has; the numbers and leases of what was lost are not used again.
    mutating func restart(from records: [JournalRecord]) {
        queries = []
        for record in records {
            if case .accepted(let query) = record {
                queries.append(Query(number: query.number.rawValue, isStream: query.durability == .stream))
            }
            guard let index = queries.firstIndex(where: { $0.number == record.query.rawValue }) else { continue }
            switch record {
            case .accepted: break
            case .leased: queries[index].isLeased = true
            case .retried(_, let attempt, _), .resumed(_, let attempt, _):
                queries[index].attempt = attempt
                queries[index].isLeased = false
                if case .resumed(_, _, let restarts) = record { queries[index].restarts = restarts }
            case .checkpoint(_, let part): queries[index].tokens += part.count
            case .reset: queries[index].tokens = 0
            case .ended: queries[index].stage = .ended
            case .acknowledged: queries.remove(at: index)
            }
        }
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
        case 0 where !query.isLeased, 1 where !query.isLeased:
            queries[index].isLeased = true
            lastLease += UInt64(draw(5)) + 1
            return .leased(number, attempt: query.attempt, Lease(rawValue: lastLease))
        case 0, 1, 2:
            queries[index].attempt += 1
            queries[index].isLeased = false
            return .retried(number, attempt: query.attempt + 1, Samples.failure(attempt: query.attempt))
        case 3:
            queries[index].attempt += 1
            queries[index].isLeased = false
            queries[index].restarts += draw(3)
            return .resumed(number, attempt: query.attempt + 1, restarts: queries[index].restarts)
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
        queries.append(Query(number: number, isStream: isStream))
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

extension JournalImage {
    /// - Precondition: the records are in order.
    init(of records: some Sequence<JournalRecord>) {
        self.init()
        for record in records {
            do throws(Contradiction) { try apply(record) } catch { preconditionFailure("\(error)") }
        }
    }
}
