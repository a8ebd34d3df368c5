internal import ServingModel

/// Times a few steps at start, for a profile that is at least of the right order; the worker's fit soon replaces it.
///
/// Takes a few tens of milliseconds for a small model and two or three steps of a large one.
struct SpeedMeasurement {
    let transformer: Transformer
    let contextLength: Int

    /// Beyond this no further step is timed.
    private static let budgetMilliseconds = 300.0
    private static let shortPrompt = 16
    private static let longPrompt = 64
    private static let batch = 4

    /// Prefill from two prompt lengths, decode from two batch sizes; the cost of context from the rate at which the weights
    /// were read, as the cache is read at the same rate.
    func run() -> (prefill: LatencyProfile.Prefill, decode: LatencyProfile.Decode) {
        var prefill = LatencyProfile.Prefill()
        var decode = LatencyProfile.Decode()
        var blocks: [Int32] = []
        defer { transformer.cache.release(&blocks) }
        let length = min(Self.longPrompt, contextLength)
        guard length > 0, transformer.cache.extend(&blocks, toTokens: length) else { return (prefill, decode) }

        let start = ContinuousClock.now
        func hasTime() -> Bool { Self.milliseconds(since: start) < Self.budgetMilliseconds }

        let one = best { time(decoding: 1, blocks: blocks) }
        decode.c3Milliseconds = one
        if hasTime(), length >= Self.batch {
            let several = best { time(decoding: Self.batch, blocks: blocks) }
            decode.c2Milliseconds = max(0, several - one) / Double(Self.batch - 1)
            decode.c3Milliseconds = max(0, one - decode.c2Milliseconds)
        }
        let millisecondsPerByte = one / Double(max(1, transformer.weights.bytesPerDecode))
        let model = transformer.configuration
        decode.k2Milliseconds =
            millisecondsPerByte
            * Double(
                KVCache.bytesPerToken(
                    layers: model.layers,
                    heads: model.keyValueHeads,
                    headDimension: model.headDimension
                )
            )
        let short = min(Self.shortPrompt, length)
        let shortTime = hasTime() ? best { time(prefilling: short, blocks: blocks) } : one * Double(short)
        prefill.k1Milliseconds = shortTime / Double(short)
        if hasTime(), length > short {
            let longTime = best { time(prefilling: length, blocks: blocks) }
            prefill.k1Milliseconds = max(longTime / Double(2 * length), (longTime - shortTime) / Double(length - short))
        }
        prefill.c1Milliseconds = max(0, shortTime - prefill.k1Milliseconds * Double(short))
        return (prefill, decode)
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
