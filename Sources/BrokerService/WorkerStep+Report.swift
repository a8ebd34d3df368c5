package import Brokering
package import Messages
internal import ServingModel

extension WorkerStep {
    package init(_ report: StepReport) {
        self.init(
            workload: report.workload,
            duration: report.duration,
            reports: report.progress.map { progress in
                var lease = LeaseReport(lease: progress.lease)
                if let tokens = progress.tokens {
                    lease.firstIndex = tokens.firstIndex
                    lease.tokens = tokens.count
                    lease.tokenIDs = tokens.ids[...]
                    lease.text = tokens.text
                }
                lease.finish = progress.finished?.reason
                lease.inputTokens = progress.finished?.inputTokens
                lease.failure = progress.failed
                lease.handover = progress.handedOver.map {
                    LeaseReport.LeftCache(kvCache: $0.kvCache, inputTokens: $0.inputTokens, bytes: $0.bytes)
                }
                return lease
            },
            waiting: report.waiting,
            freeKVTokens: report.freeKVTokens
        )
    }

    package init(_ report: StepReader) {
        self.init(
            workload: report.workload,
            duration: report.duration,
            reports: report.progress.map { progress in
                var lease = LeaseReport(lease: progress.lease)
                lease.firstIndex = progress.firstIndex
                lease.tokens = progress.tokens
                lease.tokenIDs = report.ids[progress.ids]
                lease.text = progress.text
                lease.finish = progress.finished?.reason
                lease.inputTokens = progress.finished?.inputTokens
                return lease
            },
            waiting: report.waiting,
            freeKVTokens: report.freeKVTokens
        )
    }
}
