import Foundation
import Messages
import Testing

extension IntegrationTests {
    @Suite("A fleet that follows the load")
    struct AutoscaleTests {
        @Test("Workers come with the load and leave without it, and no query is lost on the way")
        func follows() async throws {
            let files = try TemporaryDirectory()
            // Every sequence in a step costs 4 ms, so that one worker keeps a pace of 100 ms for some twenty of them.
            let profile = try files.write(
                """
                {"model": "imitation", "device": "none", "gpus": 1,
                 "prefill": {"c0_ms": 0, "c1_ms": 5, "k1_ms": 0.1}, "mixed": {"c_mix_ms": 10},
                 "decode": {"c3_ms": 10, "k2_ms": 0, "c2_ms": 4},
                 "kv": {"capacity_tokens": 400000, "block_tokens": 16, "watermark": 0.01}}
                """,
                to: "profile.json"
            )
            let service = try await Service.up(
                "--autoscale",
                "--max-workers",
                "3",
                "--scaling",
                "forecast:patience=2",
                "--startup-s",
                "1",
                "--engine",
                "emulated",
                "--profile",
                profile,
                workers: 1
            )
            let load = (0..<24).map { number in
                HTTP.open(
                    "\(service.url)/v1/chat/completions",
                    HTTP.chat("Number \(number)", #""max_tokens": 200"#)
                )
            }
            try await service.endpoints.status("more workers") { $0.workers.count > 1 }
            for query in load {
                try await query.line(#""completion_tokens":200"#, in: \.output)
            }
            try await service.endpoints.status("one worker again") { $0.workers.count == 1 }
            service.process.kill(SIGINT)
            #expect(try await service.process.exitCode() == 0, "\(service.process.transcript)")
        }
    }
}
