import Foundation
import Messages
import Testing

extension IntegrationTests {
    @Suite("Measuring a live worker")
    struct LiveCalibrationTests {
        @Test("A grid of queries runs on that worker alone and makes a profile, or none if the fit is refused")
        func grid() async throws {
            let files = try TemporaryDirectory()
            let profile = try files.profile(stepMilliseconds: 2, capacity: 20_000)
            let text = try String(contentsOfFile: profile, encoding: .utf8)
                .replacing("\"max_sequences\": 256", with: "\"max_sequences\": 64")
                .replacing("\"block_tokens\"", with: "\"bytes_per_token\": 1000, \"block_tokens\"")
            try text.write(toFile: profile, atomically: true, encoding: .utf8)
            let service = try await Service.up("--engine", "emulated", "--profile", profile)
            let flags = ["--worker", "worker-2"] + service.endpoints.flags

            let run = try await Run.aladdin(["calibrate", "--out", files.path("p.json"), "--json"] + flags)
            #expect(run.code == 0, "\(run.errors)")
            let decode = try #require(try run.json()["decode"] as? [String: Any])
            #expect(decode["points"] as? Int ?? 0 > 10)
            let written = try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(fileURLWithPath: files.path("p.json")))
            )
            let fields = try #require(written as? [String: Any])
            #expect(fields["model"] as? String == "imitation")
            // What the worker registered with is known, and not measured.
            let (kv, limits) = (fields["kv"] as? [String: Any], fields["limits"] as? [String: Any])
            #expect(kv?["capacity_tokens"] as? Int == 20_000 && kv?["bytes_per_token"] as? Int == 1000)
            #expect(limits?["max_sequences"] as? Int == 64)
            try await service.endpoints.status("queries on one worker only") { status in
                let completed = status.workers.sorted { $0.name < $1.name }.map(\.queriesCompleted)
                return completed.count == 2 && completed[0] == 0 && completed[1] > 30
            }

            let refused = ["calibrate", "--out", files.path("q.json"), "--max-error", "1e-9"]
            let strict = try await Run.aladdin(refused + flags)
            #expect(strict.code == 1 && strict.errors.contains("--max-error"), "\(strict.errors)")
            #expect(!FileManager.default.fileExists(atPath: files.path("q.json")))
            let nobody = ["calibrate", "--out", files.path("q.json"), "--worker", "nobody"] + service.endpoints.flags
            #expect(try await Run.aladdin(nobody).code == 2)
        }
    }
}
