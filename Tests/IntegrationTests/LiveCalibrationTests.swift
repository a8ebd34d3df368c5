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
            let service = try await Service.up("--engine", "emulated", "--profile", profile)
            let flags = ["--worker", "worker-2"] + service.endpoints.flags

            let run = try await Run.aladdin(["calibrate", "--out", files.path("p.json"), "--json"] + flags)
            #expect(run.code == 0, "\(run.errors)")
            let decode = try #require(try run.json()["decode"] as? [String: Any])
            #expect(decode["points"] as? Int ?? 0 > 10)
            let written = try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(fileURLWithPath: files.path("p.json")))
            )
            #expect((written as? [String: Any])?["model"] as? String == "imitation")
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
