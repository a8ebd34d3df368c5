import Messages
import ServingModel
import Testing

@Suite("Steps read straight from their bytes")
struct StepReaderTests {
    /// What a reader made of a report, as the report it stands for.
    private func report(_ reader: StepReader) -> StepReport {
        StepReport(
            workload: reader.workload,
            duration: reader.duration,
            progress: reader.progress.map { entry in
                LeaseProgress(
                    lease: entry.lease,
                    tokens: TokensEvent(
                        firstIndex: entry.firstIndex,
                        count: entry.tokens,
                        ids: Array(reader.ids[entry.ids]),
                        text: entry.text
                    ),
                    finished: entry.finished
                )
            },
            waiting: reader.waiting,
            freeKVTokens: reader.freeKVTokens
        )
    }

    /// Tokens that are absent and tokens that are none are one thing to the reader.
    private func plain(_ report: StepReport) -> StepReport {
        var report = report
        for index in report.progress.indices where report.progress[index].tokens == nil {
            report.progress[index].tokens = TokensEvent(firstIndex: 0, count: 0, ids: [], text: "")
        }
        return report
    }

    @Test("it reads what the decoder reads, and nothing that it refuses, from mutated bytes too", arguments: 0..<20)
    func agrees(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var read = 0
        for round in 0..<600 {
            guard case .step(var step) = WorkerReport.draw(&random) else { continue }
            if round.isMultiple(of: 2) { for index in step.progress.indices { step.progress[index].failed = nil } }
            var bytes = WorkerReport.step(step).encode()
            if round.isMultiple(of: 3) { mutate(&bytes, &random) }
            guard let reader = StepReader(bytes) else { continue }
            guard case .step(let decoded) = try WorkerReport.decode(bytes) else {
                Issue.record("it was no step")
                continue
            }
            #expect(report(reader) == plain(decoded))
            read += 1
        }
        #expect(read > 50)
    }

    @Test("failures, other reports and rubbish are left to the decoder")
    func leftAlone() {
        let failed = LeaseProgress(lease: Lease(rawValue: 1), failed: Status(.internalError, .engineFailed, "no"))
        let step = StepReport(workload: nil, duration: .zero, progress: [failed], waiting: 0, freeKVTokens: 0)
        #expect(StepReader(WorkerReport.step(step).encode()) == nil)
        #expect(StepReader(WorkerReport.drain.encode()) == nil)
        #expect(StepReader(WorkerReport.pull(granted: 7).encode()) == nil)
        #expect(StepReader([]) == nil)
    }

    @Test("a step is left to the decoder wherever it is cut off")
    func cut() throws {
        let tokens = TokensEvent(firstIndex: 300, count: 2, ids: [1, 70_000], text: "ab")
        let finished = FinishedEvent(reason: .stop, inputTokens: 4, outputTokens: 302)
        let step = StepReport(
            workload: StepWorkload(kind: .decode, decodeSequences: 1, contextTokens: 9),
            duration: .milliseconds(3),
            progress: [LeaseProgress(lease: Lease(rawValue: 1 << 40), tokens: tokens, finished: finished)],
            waiting: 2,
            freeKVTokens: 500
        )
        let bytes = WorkerReport.step(step).encode()
        #expect(StepReader(bytes).map(report) == step)
        for length in bytes.indices { #expect(StepReader(Array(bytes.prefix(length))) == nil) }
    }
}
