internal import Foundation
internal import Messages
internal import Testing

extension IntegrationTests {
    @Suite struct Bench {
        @Test(arguments: [false, true])
        func `bench reports what the contract promises, and loses and repeats nothing`(overHTTP: Bool) async throws {
            let files = try TemporaryDirectory()
            let service = try await Service.up(
                "--engine",
                "emulated",
                "--profile",
                try files.profile(stepMilliseconds: 1)
            )
            let rows = (0..<40).map { "\(Double($0) * 0.01),\(20 + $0),\(5 + $0 % 30)" }
            let trace = try files.write(
                "arrival_s,input_tokens,output_tokens\n" + rows.joined(separator: "\n") + "\n",
                to: "trace.csv"
            )
            let target = overHTTP ? ["--http", service.url] : service.endpoints.flags
            let run = try await Run.aladdin(
                ["bench", "--json", "--trace", trace, "--slo-ttft-ms", "60000", "--slo-atgt-ms", "60000"] + target
            )
            #expect(run.code == 0, "\(run.errors)")
            let report = try run.json()
            #expect(report["sent"] as? Int == 40)
            #expect(report["completed"] as? Int == 40)
            for field in ["failed", "rejected", "lost", "duplicated_tokens"] {
                #expect(report[field] as? Int == 0, "\(field): \(run.output)")
            }
            #expect(report["attainment"] as? Double == 1)
            for field in ["ttft_ms", "atgt_ms"] {
                let quantiles = try #require(report[field] as? [String: Any])
                let values = ["p50", "p90", "p99"].compactMap { quantiles[$0] as? Double }
                try #require(values.count == 3)
                #expect(values[0] > 0 && values == values.sorted())
            }
            #expect(try #require(report["goodput_qps"] as? Double) > 0)
            #expect(try #require(report["throughput_tokens_per_s"] as? Double) > 0)
            let status = try await service.endpoints.status("all done") { $0.model?.running == 0 }
            #expect(status.model?.completed == 40)
        }

        @Test func `A bad trace ends bench with exit code 2 and the line at fault`() async throws {
            let files = try TemporaryDirectory()
            let header = "arrival_s,input_tokens,output_tokens\n"
            let cases = [
                ("a missing column", "arrival_s,input_tokens\n0,10\n", "line 1"),
                ("a missing field", header + "0,10,5\n1,10\n", "line 3"),
                ("a negative time", header + "-1,10,5\n", "line 2"),
                ("a time that is no number", header + "0,10,5\nnan,10,5\n", "line 3"),
                ("an infinite time", header + "inf,10,5\n", "line 2"),
                ("no output tokens", header + "0,10,0\n", "line 2"),
                ("no input tokens", header + "0,0,5\n", "line 2"),
                ("half a token", header + "0,1.5,5\n", "line 2"),
                ("unsorted times", header + "0,10,5\n2,10,5\n1,10,5\n", "line 4"),
                ("an empty line", header + "0,10,5\n\n1,10,5\n", "line 3"),
                ("an empty file", "", "line 1"),
                ("a header alone", header, "line 1"),
                ("bytes that are no text", header + "\u{0}\u{1}", "line 2"),
            ]
            for (name, text, line) in cases {
                let trace = try files.write(text, to: "trace.csv")
                let run = try await Run.aladdin([
                    "bench", "--json", "--trace", trace, "--frontend-endpoint", "tcp://127.0.0.1:1",
                ])
                #expect(run.code == 2, "\(name): \(run.code)")
                #expect(run.errors.contains(trace) && run.errors.contains(line), "\(name): \(run.errors)")
            }
            let absent = try await Run.aladdin([
                "bench", "--trace", files.path("absent.csv"), "--frontend-endpoint", "tcp://127.0.0.1:1",
            ])
            #expect(absent.code == 2)
            #expect(absent.errors.contains("absent.csv"))
        }

        @Test func `bench against nobody fails instead of waiting`() async throws {
            let files = try TemporaryDirectory()
            let trace = try files.write("arrival_s,input_tokens,output_tokens\n0,10,5\n", to: "trace.csv")
            let run = try await Run.aladdin([
                "bench", "--json", "--trace", trace, "--frontend-endpoint", "tcp://127.0.0.1:1",
            ])
            #expect(run.code == 1)
            let report = try run.json()
            #expect(report["completed"] as? Int == 0)
            // Nothing was measured, and why is said.
            #expect((report["ttft_ms"] as? [String: Any])?["p50"] is NSNull)
            #expect(report["reasons"] as? [String: Int] == ["unavailable": 1])
        }

        @Test(arguments: [false, true])
        func `bench says why queries failed`(overHTTP: Bool) async throws {
            let files = try TemporaryDirectory()
            let service = try await Service.up()
            let rows = "0,20,3\n0.01,9000,3\n0.02,9000,3\n"
            let trace = try files.write("arrival_s,input_tokens,output_tokens\n" + rows, to: "trace.csv")
            let target = overHTTP ? ["--http", service.url] : service.endpoints.flags
            let run = try await Run.aladdin(["bench", "--json", "--trace", trace] + target)
            #expect(run.code == 0, "\(run.errors)")
            let report = try run.json()
            #expect(report["completed"] as? Int == 1 && report["failed"] as? Int == 2)
            #expect(report["reasons"] as? [String: Int] == ["max_tokens_out_of_range": 2])
            let words = try await Run.aladdin(["bench", "--trace", trace] + target)
            #expect(words.output.contains("2 × max_tokens_out_of_range, the first: "), "\(words.output)")
        }
    }
}
