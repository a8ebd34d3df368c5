import Messages
import ServingModel

/// A value that can be drawn at random, all of its cases and optional parts included.
protocol Drawable {
    static func draw(_ random: inout SeededGenerator) -> Self
}

let largestUInt32 = Int(UInt32.max)
let largestCount = 1 << 48

extension SeededGenerator {
    /// Whole units, since the wire carries no finer ones; up to a year.
    mutating func microseconds(atLeast least: Int = 0) -> Interval {
        Interval(nanoseconds: Int64(max(least, number(upTo: 31_557_600_000_000))) * 1000)
    }

    mutating func milliseconds(atLeast least: Int = 0, upTo most: Int = 31_557_600_000) -> Interval {
        .milliseconds(Int64(max(least, number(upTo: most))))
    }

    mutating func tokens() -> [Int32] {
        list(upTo: 8) { Int32($0.number(upTo: Int(Int32.max))) }
    }
}

extension Hello: Drawable {
    static func draw(_ random: inout SeededGenerator) -> Hello {
        Hello(software: random.text(), name: random.text(), takesBundles: Bool.random(using: &random))
    }
}

extension Welcome: Drawable {
    static func draw(_ random: inout SeededGenerator) -> Welcome {
        var limits = SessionLimits()
        limits.bodyBytes = random.number(upTo: largestUInt32)
        limits.openCalls = random.number(upTo: largestUInt32)
        limits.metadataEntries = random.number(upTo: largestUInt32)
        limits.metadataBytes = random.number(upTo: largestUInt32)
        limits.maxTokens = random.number(upTo: largestUInt32)
        return Welcome(
            session: random.word(),
            broker: random.text(),
            heartbeatInterval: random.milliseconds(upTo: largestUInt32),
            sessionTimeout: random.milliseconds(upTo: largestUInt32),
            limits: limits
        )
    }
}

extension Status: Drawable {
    static func draw(_ random: inout SeededGenerator) -> Status {
        Status(
            StatusCode.allCases.randomElement(using: &random) ?? .ok,
            Reason.allCases.randomElement(using: &random) ?? Reason.none,
            random.text(),
            retryAfter: random.maybe { $0.milliseconds(atLeast: 1, upTo: largestUInt32) }
        )
    }
}

extension GenerateRequest: Drawable {
    static func draw(_ random: inout SeededGenerator) -> GenerateRequest {
        let input: PromptInput =
            switch Int.random(in: 0..<3, using: &random) {
            case 0: .text(random.text())
            case 1: .chat(random.list { ChatMessage(role: $0.text(), content: $0.text()) })
            default: .tokens(random.tokens())
            }
        return GenerateRequest(
            model: random.text(),
            input: input,
            maxTokens: random.number(upTo: largestUInt32),
            sampling: Sampling(
                temperature: random.real(),
                topP: Double.random(in: 0.01...1, using: &random),
                topK: random.number(upTo: largestUInt32),
                seed: random.maybe { $0.word() },
                stop: random.list { $0.text() }
            ),
            metadata: random.list { MetadataEntry($0.text(), $0.text()) }
        )
    }
}

extension GenerateEvent: Drawable {
    static func draw(_ random: inout SeededGenerator) -> GenerateEvent {
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            .accepted(
                AcceptedEvent(
                    queryID: random.text(),
                    durability: Durability.allCases.randomElement(using: &random) ?? .accept,
                    isDuplicate: random.chance(50)
                )
            )
        case 1:
            .started(
                StartedEvent(
                    worker: random.text(),
                    attempt: random.number(upTo: largestUInt32),
                    predictedTimeToFirstToken: random.microseconds()
                )
            )
        case 2: .tokens(.draw(&random))
        case 3: .reset(firstIndex: random.number(upTo: largestUInt32))
        default: .finished(.draw(&random))
        }
    }
}

extension TokensEvent: Drawable {
    static func draw(_ random: inout SeededGenerator) -> TokensEvent {
        let ids = random.tokens()
        return TokensEvent(
            firstIndex: random.number(upTo: largestUInt32),
            count: ids.isEmpty ? random.number(upTo: largestUInt32) : ids.count,
            ids: ids,
            text: random.text()
        )
    }
}

extension FinishedEvent: Drawable {
    static func draw(_ random: inout SeededGenerator) -> FinishedEvent {
        FinishedEvent(
            reason: random.chance(50) ? .stop : .length,
            inputTokens: random.number(upTo: largestUInt32),
            outputTokens: random.number(upTo: largestUInt32)
        )
    }
}

extension CancelRequest: Drawable {
    static func draw(_ random: inout SeededGenerator) -> CancelRequest {
        CancelRequest(queryID: random.text(), tenant: random.text())
    }
}

extension AcknowledgeRequest: Drawable {
    static func draw(_ random: inout SeededGenerator) -> AcknowledgeRequest {
        AcknowledgeRequest(queryID: random.text(), tenant: random.text())
    }
}

extension AttachRequest: Drawable {
    static func draw(_ random: inout SeededGenerator) -> AttachRequest {
        AttachRequest(
            queryID: random.text(),
            firstIndex: random.number(upTo: largestUInt32),
            seenAttempt: random.number(upTo: largestUInt32),
            tenant: random.text()
        )
    }
}

extension ModelList: Drawable {
    static func draw(_ random: inout SeededGenerator) -> ModelList {
        ModelList(
            models: random.list {
                ModelEntry(
                    name: $0.text(),
                    workers: $0.number(upTo: largestUInt32),
                    contextLength: $0.number(upTo: largestUInt32),
                    engine: $0.text()
                )
            }
        )
    }
}
