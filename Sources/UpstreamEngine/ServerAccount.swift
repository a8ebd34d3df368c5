internal import EngineInterface
internal import Foundation
internal import ServingModel

/// What a server says of itself, gathered from several of its answers.
struct ServerAccount: Hashable, Sendable {
    var kind = ServerKind.other
    var model = ""
    var contextLength: Int?
    var maximumSequences: Int?
    var kvCapacityTokens: Int?
    var kvBlockTokens: Int?
    /// Whether it can be asked for metrics.
    var hasMetrics = false

    /// Reads `GET /v1/models`.
    ///
    /// - Parameter wanted: the model to serve; nil takes the first.
    /// - Throws: a `Status` in words for the log.
    init(models answer: [UInt8], wanted: String?) throws(Status) {
        struct List: Decodable {
            struct Model: Decodable {
                struct Meta: Decodable {
                    var nCtx: Int?
                }
                var id: String
                var ownedBy: String?
                var maxModelLen: Int?
                var meta: Meta?
            }
            var data: [Model]
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let list = try? decoder.decode(List.self, from: Data(answer)) else {
            throw Status(.unavailable, .engineFailed, "its list of models (/v1/models) cannot be read")
        }
        let found = wanted == nil ? list.data.first : list.data.first { $0.id == wanted }
        guard let found, !found.id.isEmpty else {
            let names = list.data.prefix(8).map { "'\($0.id)'" }.joined(separator: ", ")
            let has = names.isEmpty ? "it serves no model" : "it serves \(names)"
            throw Status(.unavailable, .unknownModel, wanted.map { "\(has), not '\($0)'" } ?? has)
        }
        model = found.id
        kind = ServerKind(owner: found.ownedBy)
        contextLength = Self.positive(found.maxModelLen) ?? Self.positive(found.meta?.nCtx)
    }

    /// Reads llama.cpp's `GET /props`; what cannot be read says nothing.
    mutating func take(properties answer: [UInt8]) {
        struct Properties: Decodable {
            struct Settings: Decodable {
                var nCtx: Int?
            }
            var defaultGenerationSettings: Settings?
            var totalSlots: Int?
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let properties = try? decoder.decode(Properties.self, from: Data(answer)) else { return }
        contextLength = Self.positive(properties.defaultGenerationSettings?.nCtx) ?? contextLength
        maximumSequences = Self.positive(properties.totalSlots) ?? maximumSequences
        // Each slot has a context of its own.
        if let slots = maximumSequences, let contextLength, slots <= Int(Int32.max) / max(1, contextLength) {
            kvCapacityTokens = slots * contextLength
        }
    }

    /// Reads a scrape for what does not change.
    mutating func take(_ metrics: PrometheusSamples) {
        hasMetrics = true
        let caches = metrics.all("vllm:cache_config_info").compactMap { sample -> (tokens: Int, block: Int)? in
            guard let block = Self.positive(sample.labels["block_size"].flatMap { Int($0) }) else { return nil }
            if let tokens = Self.positive(sample.labels["kv_cache_size_tokens"].flatMap({ Int($0) })) {
                return (tokens, block)
            }
            guard let blocks = Self.positive(sample.labels["num_gpu_blocks"].flatMap({ Int($0) })) else { return nil }
            let (tokens, isTooMany) = blocks.multipliedReportingOverflow(by: block)
            return isTooMany ? nil : (tokens, block)
        }
        if let first = caches.first {
            // One for each engine of a data-parallel server.
            kvCapacityTokens = min(caches.reduce(0) { $0 + min($1.tokens, 1 << 40) }, Int(Int32.max))
            kvBlockTokens = first.block
        }
        if let tokens = metrics.sum("sglang:max_total_num_tokens"), tokens >= 1, tokens <= Double(Int32.max) {
            kvCapacityTokens = Int(tokens)
        }
    }

    /// Reads a scrape for what does.
    static func load(_ metrics: PrometheusSamples, kvCapacityTokens: Int) -> EngineLoad {
        let waiting = metrics.sum("vllm:num_requests_waiting", "sglang:num_queue_reqs", "llamacpp:requests_deferred")
        // Called percent, a share.
        let used = metrics.mean(
            "vllm:kv_cache_usage_perc",
            "vllm:gpu_cache_usage_perc",
            "sglang:token_usage",
            "llamacpp:kv_cache_usage_ratio"
        )
        return EngineLoad(
            waiting: waiting.map { Int(min(max($0, 0), 1e6)) },
            usedKVTokens: used.map { Int(min(max($0, 0), 1) * Double(kvCapacityTokens)) }
        )
    }

    private static func positive(_ value: Int?) -> Int? {
        value.flatMap { $0 > 0 && $0 <= Int(Int32.max) ? $0 : nil }
    }
}
