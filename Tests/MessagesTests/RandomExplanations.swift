import Messages
import ServingModel

extension PlacementExplanation: Drawable {
    static func draw(_ random: inout SeededGenerator) -> PlacementExplanation {
        PlacementExplanation(
            reason: random.text(),
            held: random.microseconds(),
            batch: random.number(upTo: largestUInt32),
            candidates: random.list(upTo: 8) {
                Candidate(
                    worker: WorkerID(rawValue: $0.word()),
                    terms: $0.list(upTo: 16) { Term($0.name(), $0.real()) },
                    failed: $0.text()
                )
            }
        )
    }
}

extension SeededGenerator {
    fileprivate mutating func name() -> String {
        ["ttft_ms", "hazard", "pace", "", "größe"].randomElement(using: &self) ?? ""
    }
}

extension PredictionErrors: Drawable {
    static func draw(_ random: inout SeededGenerator) -> PredictionErrors {
        var errors = PredictionErrors()
        guard random.chance(70) else { return errors }
        errors.timeToFirstToken = Average(magnitude: random.real(), bias: random.real(), count: random.word())
        errors.tokenTime = Average(magnitude: random.real(), bias: random.real(), count: random.word())
        return errors
    }
}

extension GetStatusRequest: Drawable {
    static func draw(_ random: inout SeededGenerator) -> GetStatusRequest {
        GetStatusRequest(wantsMetrics: random.chance(50))
    }
}

extension ExplainRequest: Drawable {
    static func draw(_ random: inout SeededGenerator) -> ExplainRequest {
        ExplainRequest(queryID: random.text())
    }
}

extension QueryExplanation: Drawable {
    static func draw(_ random: inout SeededGenerator) -> QueryExplanation {
        var query = QueryExplanation(
            id: QueryID(high: random.next(), low: random.next()),
            model: random.text(),
            objective: ServiceLevelObjective(
                timeToFirstToken: random.microseconds(),
                averageTokenTime: random.microseconds()
            )
        )
        query.tenant = random.text()
        query.priority = random.number(upTo: 2000) - 1000
        query.state =
            switch Int.random(in: 0..<5, using: &random) {
            case 0: .queued
            case 1: .placed
            case 2: .running
            default: .ended(.draw(&random))
            }
        query.age = random.microseconds()
        query.inputTokens = random.maybe { $0.number(upTo: largestUInt32) }
        query.maxTokens = random.number(upTo: largestUInt32)
        query.outputTokens = random.number(upTo: largestUInt32)
        query.attempts = random.list(upTo: 3) { .draw(&$0) }
        query.firstToken = random.maybe { $0.microseconds(atLeast: 1) }
        query.ended = random.maybe { $0.microseconds(atLeast: 1) }
        query.averageTokenTime = random.maybe { $0.microseconds(atLeast: 1) }
        query.metObjective = random.maybe { $0.chance(50) }
        query.workers = random.list { NamedWorker(worker: WorkerID(rawValue: $0.word()), name: $0.text()) }
        return query
    }
}

extension QueryExplanation.Attempt: Drawable {
    static func draw(_ random: inout SeededGenerator) -> QueryExplanation.Attempt {
        var attempt = QueryExplanation.Attempt(
            number: random.number(upTo: largestUInt32),
            worker: WorkerID(rawValue: random.word()),
            workerName: random.text(),
            policy: random.text(),
            placed: random.microseconds()
        )
        attempt.placements = random.number(upTo: largestUInt32)
        attempt.dispatched = random.maybe { $0.microseconds(atLeast: 1) }
        attempt.firstToken = random.maybe { $0.microseconds(atLeast: 1) }
        attempt.failure = random.maybe { .draw(&$0) }
        attempt.failed = random.maybe { $0.microseconds(atLeast: 1) }
        attempt.predictedTimeToFirstToken = random.maybe { $0.microseconds(atLeast: 1) }
        attempt.predictedTokenTime = random.maybe { $0.microseconds(atLeast: 1) }
        attempt.explanation = random.maybe { .draw(&$0) }
        return attempt
    }
}
