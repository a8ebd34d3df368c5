import Messages
import ServingModel

extension ClusterEvents: Drawable {
    static func draw(_ random: inout SeededGenerator) -> ClusterEvents {
        ClusterEvents(firstNumber: random.word(), events: random.list { .draw(&$0) })
    }
}

extension ClusterEvent: Drawable {
    static func draw(_ random: inout SeededGenerator) -> ClusterEvent {
        switch Int.random(in: 0..<7, using: &random) {
        case 0:
            .workerJoined(.draw(&random))
        case 1: .workerLeft(WorkerID(rawValue: random.word()), isDraining: random.chance(50))
        case 2: .queryQueued(.draw(&random))
        case 3:
            .queryDispatched(
                QueryNumber(rawValue: random.word()),
                to: WorkerID(rawValue: random.word()),
                attempt: random.number(upTo: largestUInt32)
            )
        case 4:
            .stepCompleted(
                StepCompleted(
                    worker: WorkerID(rawValue: random.word()),
                    workload: .draw(&random),
                    duration: random.microseconds(),
                    advanced: random.list {
                        StepCompleted.Advance(
                            query: QueryNumber(rawValue: $0.word()),
                            tokens: $0.number(upTo: largestUInt32)
                        )
                    },
                    waiting: random.number(upTo: largestUInt32),
                    freeKVTokens: random.number(upTo: largestCount)
                )
            )
        case 5:
            .queryEnded(
                QueryEnded(
                    query: QueryNumber(rawValue: random.word()),
                    code: StatusCode.allCases.randomElement(using: &random) ?? .ok,
                    inputTokens: random.number(upTo: largestUInt32),
                    outputTokens: random.number(upTo: largestUInt32)
                )
            )
        default: .snapshotComplete
        }
    }
}

extension WorkerJoined: Drawable {
    static func draw(_ random: inout SeededGenerator) -> WorkerJoined {
        var joined = WorkerJoined(
            worker: WorkerID(rawValue: random.word()),
            name: random.text(),
            engine: random.text(),
            contextLength: random.number(upTo: largestUInt32),
            resumesPrefix: random.chance(50),
            keepsPrefixes: random.chance(50),
            batching: random.chance(50) ? .chunked : .prefillPriority,
            profile: .draw(model: random.text(), &random)
        )
        joined.role = WorkerRole.allCases.randomElement(using: &random) ?? .both
        joined.kvExchange = random.text()
        return joined
    }
}

extension QueuedQuery: Drawable {
    static func draw(_ random: inout SeededGenerator) -> QueuedQuery {
        let promptBytes = random.number(upTo: largestUInt32)
        let blocks = (0..<(promptBytes > 0 ? random.number(upTo: 4) : 0)).map { _ in random.word() }
        let blockBytes = blocks.isEmpty ? 0 : random.number(upTo: max(1, promptBytes))
        var query = QueuedQuery(
            number: QueryNumber(rawValue: random.word()),
            id: QueryID(high: random.next(), low: random.next()),
            model: random.text(),
            attempt: random.number(upTo: largestUInt32),
            age: random.microseconds(),
            inputTokens: random.maybe { $0.number(upTo: largestUInt32) },
            promptBytes: promptBytes,
            maxTokens: random.number(upTo: largestUInt32),
            outputTokensHint: random.maybe { max(1, $0.number(upTo: largestUInt32)) },
            outputTokens: random.number(upTo: largestUInt32),
            objective: ServiceLevelObjective(
                timeToFirstToken: random.microseconds(),
                averageTokenTime: random.microseconds()
            ),
            priority: Int(Int32(truncatingIfNeeded: Int64(bitPattern: random.word()))),
            tenant: random.text(),
            remaining: random.maybe { $0.microseconds(atLeast: 1) },
            blocks: blocks,
            blockShare: Double(blockBytes) / Double(max(1, promptBytes))
        )
        query.failedOn = random.maybe { WorkerID(rawValue: max(1, $0.word())) }
        query.handover = random.maybe {
            QueuedQuery.Handover(exchange: "/" + $0.text(), firstTokenAge: $0.microseconds())
        }
        return query
    }
}
