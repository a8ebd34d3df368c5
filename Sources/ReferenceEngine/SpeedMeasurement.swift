internal import ServingModel

/// Times a few steps at start, for a profile that is at least of the right order; the worker's fit soon replaces it.
///
/// Takes a few tens of milliseconds for a small model and four steps of a large one.
struct SpeedMeasurement {
    let transformer: Transformer
    let contextLength: Int

    /// What the measurement may take; steps that are expected to go beyond it are left out.
    private static let budgetMilliseconds = 300.0
    private static let promptTokens = (short: 64, long: 192)
    private static let batch = 4

    /// Measures decode at two batch sizes and prefill at two lengths.
    ///
    /// The cost of context follows from the rate at which the weights were read, as the cache is read at the same rate. A
    /// model too large for the prefills gets a guess: a prompt token costs what a further decoding sequence costs.
    func run() -> (prefill: LatencyProfile.Prefill, decode: LatencyProfile.Decode) {
        var prefill = LatencyProfile.Prefill()
        var decode = LatencyProfile.Decode()
        var blocks: [Int32] = []
        defer { transformer.cache.release(&blocks) }
        let (short, long) = Self.promptTokens
        let length = min(long, contextLength)
        guard length >= Self.batch, transformer.cache.extend(&blocks, toTokens: length) else {
            return (prefill, decode)
        }

        let start = ContinuousClock.now
        let one = best { time(decoding: 1, blocks: blocks) }
        let several = best { time(decoding: Self.batch, blocks: blocks) }
        decode.c2Milliseconds = max(one / 100, (several - one) / Double(Self.batch - 1))
        decode.c3Milliseconds = max(0, one - decode.c2Milliseconds)
        decode.k2Milliseconds = one * Double(bytesPerContextToken) / Double(transformer.weights.bytesPerDecode)

        prefill.k1Milliseconds = decode.c2Milliseconds
        prefill.c1Milliseconds = decode.c3Milliseconds
        let expected = decode.c2Milliseconds * Double(short + length) * 2
        if length > short, Self.milliseconds(since: start) + expected < Self.budgetMilliseconds {
            let shortTime = best { time(prefilling: short, blocks: blocks) }
            let longTime = best { time(prefilling: length, blocks: blocks) }
            let slope = (longTime - shortTime) / Double(length - short)
            prefill.k1Milliseconds = max(slope, longTime / Double(2 * length))
            prefill.c1Milliseconds = max(0, shortTime - prefill.k1Milliseconds * Double(short))
        }
        return (prefill, decode)
    }

    private var bytesPerContextToken: Int {
        let model = transformer.configuration
        return KVCache.bytesPerToken(
            layers: model.layers,
            heads: model.keyValueHeads,
            headDimension: model.headDimension
        )
    }

    /// The shorter of two runs, as the first one also touches memory; one run if that already took long.
    private func best(_ run: () -> Double) -> Double {
        let first = run()
        return first < Self.budgetMilliseconds / 10 ? min(first, run()) : first
    }

    private func time(decoding count: Int, blocks: [Int32]) -> Double {
        let start = ContinuousClock.now
        let segments = (0..<count).map { index in
            Transformer.Segment(tokens: [0], firstPosition: index, blocks: blocks)
        }
        let hidden = transformer.forward(segments, method: .rows)
        _ = transformer.logits(of: hidden, count: count)
        return Self.milliseconds(since: start)
    }

    private func time(prefilling count: Int, blocks: [Int32]) -> Double {
        let start = ContinuousClock.now
        let tokens = [Int32](repeating: 0, count: count)
        let segment = Transformer.Segment(tokens: tokens[...], firstPosition: 0, blocks: blocks)
        let hidden = transformer.forward([segment], method: .panels)
        _ = transformer.logits(of: hidden, count: 1)
        return Self.milliseconds(since: start)
    }

    private static func milliseconds(since start: ContinuousClock.Instant) -> Double {
        (ContinuousClock.now - start) / .milliseconds(1)
    }
}
