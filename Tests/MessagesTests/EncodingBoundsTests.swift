import Messages
import ServingModel
import Testing

/// Whatever a value holds, its encoding can be decoded: nothing that we send may be refused for a number of ours.
@Suite("Encoding holds values at the wire's bounds")
struct EncodingBoundsTests {
    @Test("counts are held between 0 and the field's largest")
    func counts() throws {
        let event = GenerateEvent.reset(firstIndex: -5)
        #expect(try GenerateEvent.decode(event.encode()) == .reset(firstIndex: 0))
        let large = GenerateEvent.reset(firstIndex: .max)
        #expect(try GenerateEvent.decode(large.encode()) == .reset(firstIndex: largestUInt32))
        let report = StepReport(workload: nil, duration: .zero, progress: [], waiting: -1, freeKVTokens: .max)
        guard case .step(let decoded) = try WorkerReport.decode(WorkerReport.step(report).encode()) else { return }
        #expect(decoded.waiting == 0)
        #expect(decoded.freeKVTokens == largestCount)
    }

    @Test("times are held between 0 and ten years, and rounded to what the wire carries")
    func times() throws {
        func roundTrip(_ nanoseconds: Int64) throws -> Interval? {
            let report = StepReport(
                workload: nil,
                duration: Interval(nanoseconds: nanoseconds),
                progress: [],
                waiting: 0,
                freeKVTokens: 0
            )
            guard case .step(let decoded) = try WorkerReport.decode(WorkerReport.step(report).encode()) else {
                return nil
            }
            return decoded.duration
        }
        #expect(try roundTrip(.min) == .zero)
        #expect(try roundTrip(499) == .zero)
        #expect(try roundTrip(500) == Interval(nanoseconds: 1000))
        #expect(try roundTrip(.max) == .seconds(315_576_000))
    }

    @Test("a time that is there stays there, however short, when 0 means none")
    func presentTimes() throws {
        for nanoseconds: Int64 in [.min, 0, 1, 999_999] {
            let interval = Interval(nanoseconds: nanoseconds)
            let status = Status(.unavailable, retryAfter: interval)
            #expect(try Status.decode(status.encode()).retryAfter == .milliseconds(1))
            let placement = Placement(
                query: QueryNumber(rawValue: 1),
                attempt: 1,
                worker: WorkerID(rawValue: 1),
                predictedTimeToFirstToken: interval
            )
            guard
                case .placements(let placements) = try SchedulerReport.decode(
                    SchedulerReport.placements([placement]).encode()
                )
            else { return }
            #expect(placements.first?.predictedTimeToFirstToken != nil)
        }
        let status = Status(.unavailable, retryAfter: Interval(nanoseconds: .max))
        #expect(try Status.decode(status.encode()).retryAfter == .milliseconds(Int64(UInt32.max)))
    }

    private func sent(_ explanation: PlacementExplanation) throws -> PlacementExplanation? {
        let placement = Placement(
            query: QueryNumber(rawValue: 1),
            attempt: 1,
            worker: WorkerID(rawValue: 1),
            predictedTimeToFirstToken: nil,
            explanation: explanation
        )
        let report = try SchedulerReport.decode(SchedulerReport.placements([placement]).encode())
        guard case .placements(let placements) = report else { return nil }
        return placements.first?.explanation
    }

    @Test("an explanation is cut to 8 candidates of 16 terms, and its texts between characters")
    func longExplanations() throws {
        let terms = (0..<20).map { PlacementExplanation.Term("term \($0)", Double($0)) }
        let candidates = (0..<10).map {
            PlacementExplanation.Candidate(
                worker: WorkerID(rawValue: $0),
                terms: terms,
                failed: String(repeating: "é", count: 200)
            )
        }
        let long = String(repeating: "a", count: 255) + "é"
        let kept = try #require(
            try sent(PlacementExplanation(reason: long, held: .zero, batch: 1, candidates: candidates))
        )
        #expect(kept.reason == String(repeating: "a", count: 255))
        #expect(kept.candidates.map(\.worker.rawValue) == Array(0..<8))
        #expect(kept.candidates.allSatisfy { $0.terms == Array(terms.prefix(16)) })
        #expect(kept.candidates.allSatisfy { $0.failed == String(repeating: "é", count: 128) })
        // A NUL becomes U+FFFD, which has three bytes.
        let nuls = PlacementExplanation(
            reason: String(repeating: "\0", count: 100),
            held: .zero,
            batch: 1,
            candidates: []
        )
        #expect(try sent(nuls)?.reason == String(repeating: "\u{FFFD}", count: 85))
    }

    @Test("an infinite term stays the largest or smallest; one that is no number becomes 0")
    func infiniteTerms() throws {
        let values = [Double.infinity, -.infinity, .nan, 1.5]
        let terms = values.map { PlacementExplanation.Term("cost", $0) }
        let candidate = PlacementExplanation.Candidate(worker: WorkerID(rawValue: 1), terms: terms)
        let kept = try sent(PlacementExplanation(reason: "", held: .zero, batch: 1, candidates: [candidate]))
        let largest = Double.greatestFiniteMagnitude
        #expect(kept?.candidates.first?.terms.map(\.value) == [largest, -largest, 0, 1.5])
    }

    @Test("metrics that are not finite become 0")
    func metrics() throws {
        var status = ClusterStatus()
        status.decisionP50Microseconds = .nan
        status.decisionP99Microseconds = .infinity
        #expect(try ClusterStatus.decode(status.encode()) == ClusterStatus())
    }

    @Test("a NUL in a text becomes U+FFFD instead of ending it")
    func embeddedNUL() throws {
        let request = GenerateRequest(input: .text("a\0b\0"), maxTokens: 1)
        #expect(try GenerateRequest.decode(request.encode()).input == .text("a\u{FFFD}b\u{FFFD}"))
    }

    @Test("token identifiers below 0 become 0")
    func negativeTokens() throws {
        let request = GenerateRequest(input: .tokens([-1, 5]), maxTokens: 1)
        #expect(try GenerateRequest.decode(request.encode()).input == .tokens([0, 5]))
    }

    @Test("texts that are not contiguous UTF-8 in memory survive, long and short")
    func longTexts() throws {
        for length in [0, 1, 7, 8, 15, 16, 17, 100, 5000] {
            let text = String(repeating: "é", count: length)
            let hello = Hello(software: text, name: String(text.reversed()))
            #expect(try Hello.decode(hello.encode()) == hello)
        }
    }
}
