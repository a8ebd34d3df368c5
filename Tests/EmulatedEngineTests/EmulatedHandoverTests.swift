import EngineInterface
import ServingModel
import Testing

@testable import EmulatedEngine

@Suite("KV caches that move between emulated engines")
struct EmulatedHandoverTests {
    private func engine(bytesPerToken: Double? = 1e6, timeScale: Double = 1) -> EmulatedEngine {
        var profile = LatencyProfile.small
        profile.kvCache.bytesPerToken = bytesPerToken
        var configuration = EmulatedEngine.Configuration()
        configuration.timeScale = timeScale
        return EmulatedEngine(profile: profile, configuration: configuration, timer: RecordingTimer())
    }

    private func export(_ engine: EmulatedEngine, _ id: Int) throws -> (bytes: [UInt8], time: Interval) {
        var bytes: [UInt8] = []
        let export = try engine.exportKVCache(of: SequenceID(rawValue: id)) { bytes += $0 }
        return (bytes, export.remainingTime)
    }

    @Test("An answer goes on word for word where its KV cache went")
    func moves() throws {
        let (first, second) = (engine(), engine())
        #expect(first.kvCacheForm == second.kvCacheForm)
        var request = SequenceRequest.text("12345678", id: 1, maxTokens: 6)
        _ = try first.admit(request)
        var tokens = try first.step(.prefill(1, tokens: 2)).map(\.token)
        let (bytes, _) = try export(first, 1)
        var whole = tokens
        for context in 3..<8 { whole += try first.step(.decode([1], contextTokens: context)).map(\.token) }

        request.resumedTokens = tokens
        _ = try second.admit(request)
        try bytes.withUnsafeBytes { try second.importKVCache($0, into: SequenceID(rawValue: 1)) }
        for context in 3..<8 { tokens += try second.step(.decode([1], contextTokens: context)).map(\.token) }
        #expect(tokens == whole && tokens.count == 6)
    }

    @Test("It takes two milliseconds and the bytes at 25 GB/s, in the engine's time")
    func time() throws {
        for (bytes, scale, expected) in [(25e6, 1.0, 4.0), (25e6, 0.5, 2.0), (nil as Double?, 1.0, 2.0)] {
            let engine = engine(bytesPerToken: bytes, timeScale: scale)
            _ = try engine.admit(.text("12345678", id: 1))
            _ = try engine.step(.prefill(1, tokens: 2))
            #expect(try export(engine, 1).time == .seconds(rounding: expected / 1000))
        }
    }

    @Test("Another's KV cache is not taken, and what has no token has none to give")
    func refusals() throws {
        let (first, second) = (engine(), engine())
        _ = try first.admit(.text("12345678", id: 1))
        #expect(throws: Status.self) { try export(first, 1) }
        _ = try first.step(.prefill(1, tokens: 2))
        let (bytes, _) = try export(first, 1)
        var other = SequenceRequest.text("123456789", id: 1)
        other.resumedTokens = [1]
        _ = try second.admit(other)
        for wrong in [bytes, Array(bytes.dropLast()), []] {
            #expect(throws: Status.self) {
                try wrong.withUnsafeBytes { try second.importKVCache($0, into: SequenceID(rawValue: 1)) }
            }
        }
    }
}
