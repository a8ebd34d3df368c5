internal import Foundation

/// A directory that goes when its last reference does.
final class TemporaryDirectory: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("aladdin-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: url.appendingPathComponent(name))
        return path(name)
    }

    /// The profile of an emulated worker, whose steps take so many milliseconds.
    func profile(stepMilliseconds: Double, model: String = "imitation", capacity: Int = 400_000) throws -> String {
        try write(
            """
            {"model": "\(model)", "device": "none", "gpus": 1,
             "prefill": {"c0_ms": 0, "c1_ms": \(stepMilliseconds), "k1_ms": 0},
             "decode": {"c3_ms": \(stepMilliseconds), "k2_ms": 0, "c2_ms": 0},
             "mixed": {"c_mix_ms": \(stepMilliseconds)},
             "kv": {"capacity_tokens": \(capacity), "block_tokens": 16, "watermark": 0.01},
             "limits": {"max_sequences": 256, "max_batched_tokens": 8192, "chunk_tokens": 2048}}
            """,
            to: "profile-\(UUID().uuidString).json"
        )
    }
}
