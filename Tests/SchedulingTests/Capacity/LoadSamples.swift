import Scheduling
import ServingModel

/// Made-up loads and the reference profile that capacity formulas are tried on.
enum LoadSamples {
    /// Llama-2-70B on four A100, as fitted to public measurements.
    static func llama70B(gpus: Int = 4) -> LatencyProfile {
        var profile = LatencyProfile(model: "llama2-70b", device: "A100-80GB", gpus: gpus)
        profile.prefill.c0Milliseconds = 63.7
        profile.prefill.k1Milliseconds = 0.2548
        profile.decode.c3Milliseconds = 43.62
        profile.decode.k2Milliseconds = 0.0003544
        profile.decode.c2Milliseconds = 0.1842
        profile.kvCache.capacityTokens = 427_000
        return profile
    }

    static func queries(_ count: Int, _ generator: inout SeededGenerator) -> [QuerySize] {
        (0..<count).map { _ in
            QuerySize(
                inputTokens: Int.random(in: 1...1500, using: &generator),
                outputTokens: Int.random(in: 1...(1 << Int.random(in: 0...10, using: &generator)), using: &generator)
            )
        }
    }
}
