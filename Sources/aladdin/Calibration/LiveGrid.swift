internal import AladdinClient
internal import Foundation
internal import Messages
internal import Scheduling
internal import ServingModel

/// A short grid of queries on one live worker, timed as a client sees them: prompts alone, then batches that decode.
///
/// What it measures includes the way to the worker and back, some tenths of a millisecond: a query's first token is late
/// by that, too. Other load on the worker spoils the figures.
struct LiveGrid: Sendable {
    struct Settings: Sendable {
        /// Repetitions of each prompt's length, the first of which warms up and does not count.
        var repetitions = 4
        /// Tokens that each sequence of a batch decodes while all of it runs.
        var steps = 24
        /// After this the grid begins nothing more.
        var patience = Duration.seconds(180)
    }

    let client: AladdinClient
    let worker: WorkerStatus
    private let start = ContinuousClock.now
    var settings = Settings()
    /// Told after each part: how many are done, of how many.
    let onProgress: @Sendable (_ done: Int, _ of: Int, _ what: String) -> Void

    init(
        client: AladdinClient,
        worker: WorkerStatus,
        onProgress: @escaping @Sendable (_ done: Int, _ of: Int, _ what: String) -> Void
    ) {
        self.client = client
        self.worker = worker
        self.onProgress = onProgress
    }

    private var seconds: Double { (ContinuousClock.now - start).milliseconds / 1000 }
    private var model: String { worker.profile.model }

    /// Lengths of prompts, in tokens: doubling from 16 up to what the worker prefills in one step.
    private var lengths: [Int] {
        let most = min(worker.profile.limits.chunkTokens, contextTokens / 2)
        return sequence(first: 16) { $0 * 2 }.prefix { $0 <= max(16, most) }.map { $0 }
    }

    /// Batches, doubling from one, with short and with long contexts.
    private var batches: [(count: Int, prompt: Int)] {
        let most = min(worker.profile.limits.maximumSequences, 32)
        let counts = sequence(first: 1) { $0 * 2 }.prefix { $0 <= max(1, most) }
        return counts.flatMap { count -> [(Int, Int)] in
            let room = worker.profile.kvCache.capacityTokens * 8 / 10 / count - settings.steps - 2 * count
            let long = min(room, contextTokens / 2)
            return [(count, min(16, max(1, room)))] + (long > 64 ? [(count, long)] : [])
        }
    }

    private var contextTokens: Int { min(worker.profile.kvCache.capacityTokens, 4096) }

    /// - Throws: a `Status` if the worker can't be reached or refuses.
    func run() async throws -> (prefill: MeasurementTable, decode: MeasurementTable) {
        let setting = MeasurementTable.Setting(
            device: worker.profile.device,
            model: model,
            gpus: worker.profile.gpus
        )
        let end = ContinuousClock.now + settings.patience
        let total = lengths.count + batches.count
        var done = 0
        var prefills: [MeasurementTable.Row] = []
        var decodes: [MeasurementTable.Row] = []
        let tokensPerWord = try await tokensPerWord()
        for length in lengths where ContinuousClock.now < end {
            onProgress(done, total, "prompts of about \(length) tokens")
            let rows = try await unlessTooLong { try await measurePrompt(of: length, tokensPerWord, setting) }
            prefills += rows
            done += 1
        }
        for (count, prompt) in batches where ContinuousClock.now < end {
            onProgress(done, total, "\(count) at once, \(prompt) tokens before each")
            let rows = try await unlessTooLong { try await measureBatch(of: count, prompt, tokensPerWord, setting) }
            decodes += rows
            done += 1
        }
        onProgress(done, total, "done")
        return (MeasurementTable(rows: prefills), MeasurementTable(rows: decodes))
    }

    /// How this worker's tokeniser cuts the words that prompts are made of.
    private func tokensPerWord() async throws -> Double {
        let query = try await time(words: 12, tokens: 1)
        return max(0.5, Double(query.inputTokens) / 13)
    }

    /// A worker may hold less than it says; what it refuses as too long is left out.
    private func unlessTooLong(
        _ measure: () async throws -> [MeasurementTable.Row]
    ) async throws -> [MeasurementTable.Row] {
        do {
            return try await measure()
        } catch let status as Status where [.promptTooLong, .maxTokensOutOfRange].contains(status.reason) {
            return []
        }
    }

    private func measurePrompt(
        of length: Int,
        _ tokensPerWord: Double,
        _ setting: MeasurementTable.Setting
    ) async throws -> [MeasurementTable.Row] {
        var rows: [MeasurementTable.Row] = []
        for repetition in 0..<settings.repetitions {
            let query = try await time(words: Int(Double(length) / tokensPerWord), tokens: 1)
            guard repetition > 0, let first = query.arrivals.first else { continue }
            rows.append(
                MeasurementTable.Row(
                    setting: setting,
                    batch: 1,
                    tokens: query.inputTokens,
                    milliseconds: (first.seconds - query.sent) * 1000
                )
            )
        }
        return rows
    }

    private func measureBatch(
        of count: Int,
        _ prompt: Int,
        _ tokensPerWord: Double,
        _ setting: MeasurementTable.Setting
    ) async throws -> [MeasurementTable.Row] {
        // Those that start first go on while the others are prefilled.
        let tokens = settings.steps + 2 * count
        let words = Int(Double(prompt) / tokensPerWord)
        let queries = try await withThrowingTaskGroup(of: TimedQuery.self) { group in
            for _ in 0..<count { group.addTask { try await time(words: words, tokens: tokens) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return BatchTiming(queries).steps.map { step in
            MeasurementTable.Row(
                setting: setting,
                batch: count,
                tokens: step.contextTokens,
                milliseconds: step.milliseconds
            )
        }
    }

    private func time(words: Int, tokens: Int) async throws -> TimedQuery {
        let request = QueryRequest(
            model: model,
            input: .text(Self.text(ofWords: words)),
            maxTokens: tokens,
            sampling: Sampling(temperature: 0),
            metadata: [
                ("x-aladdin-worker", "\(worker.worker.rawValue)"), ("x-aladdin-durability", "volatile"),
                ("x-aladdin-output-tokens", "\(tokens)"),
            ]
        )
        var query = TimedQuery(sent: seconds)
        for try await event in client.generate(request) {
            switch event {
            case .tokens(let first, let count, _, _): query.note(count, from: first, at: seconds)
            case .finished(_, let inputTokens, _): query.inputTokens = inputTokens
            default: break
            }
        }
        return query
    }

    /// Words that no other prompt begins with, so that nothing of it is in any cache.
    private static func text(ofWords count: Int) -> String {
        let words = ["lamp", "ship", "rain", "door", "fox", "tree", "road", "bell", "sand", "king", "bird", "cave"]
        let mark = String(UInt32.random(in: 0...UInt32.max), radix: 36)
        return ([mark] + (0..<max(0, count - 1)).map { _ in words.randomElement() ?? "" }).joined(separator: " ")
    }
}
