import Batching
import ServingModel
import Simulation

/// One worker replayed by counting every token of every query, as a real worker would: the twin of planned finishes.
struct TokenCounter {
    var profile: LatencyProfile
    var mode: BatchingMode
    /// The time of a step; the profile's own by default.
    var duration: (LatencyProfile, StepWorkload) -> Interval = { $0.duration(of: $1) }

    func replay(_ queries: [SimulatedQuery]) -> [QueryRecord] {
        var batch = ContinuousBatch(mode: mode, kvCache: profile.kvCache, limits: profile.limits)
        var records = Array(repeating: QueryRecord(), count: queries.count)
        var generated = Array(repeating: 0, count: queries.count)
        var now = Instant.zero
        var arrived = 0
        while records.contains(where: { $0.finish == nil }) {
            while arrived < queries.count, queries[arrived].arrival <= now {
                batch.enqueue(SequenceKey(rawValue: arrived), promptTokens: queries[arrived].inputTokens)
                records[arrived].arrival = queries[arrived].arrival
                records[arrived].attempts = 1
                records[arrived].worker = 0
                records[arrived].dispatched = queries[arrived].arrival
                arrived += 1
            }
            guard let step = batch.startStep() else {
                now = queries[arrived].arrival
                continue
            }
            for key in step.preempted { records[key.rawValue].preemptions += 1 }
            now = now + duration(profile, step.workload)
            var finished: [SequenceKey] = []
            for key in step.decodes + step.chunks.filter(\.completesPrompt).map(\.sequence) {
                generated[key.rawValue] += 1
                records[key.rawValue].firstToken = records[key.rawValue].firstToken ?? now
                guard generated[key.rawValue] == queries[key.rawValue].outputTokens else { continue }
                records[key.rawValue].finish = now
                finished.append(key)
            }
            batch.completeStep(finished: finished)
        }
        return records
    }
}
