internal import Foundation
internal import Testing

extension IntegrationTests {
    @Suite struct Simulate {
        private let files: TemporaryDirectory
        private let flags: [String]

        init() throws {
            files = try TemporaryDirectory()
            let lines = (0..<60).map { "\(Double($0) / 20),\(20 + $0),\(1 + $0 % 30)" }
            let trace = try files.write(
                "arrival_s,input_tokens,output_tokens\n" + lines.joined(separator: "\n") + "\n",
                to: "trace.csv"
            )
            flags = ["--trace", trace, "--profile", try files.profile(stepMilliseconds: 10)]
        }

        @Test func `A simulation prints JSON, and the same records each time`() async throws {
            var texts: [String] = []
            for name in ["first.csv", "second.csv"] {
                let records = files.path(name)
                let run = try await Run.aladdin(
                    ["simulate"] + flags + ["--workers", "2", "--seed", "7", "--records", records, "--json"]
                )
                #expect(run.code == 0, "\(run.errors)")
                let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
                let result = try #require((object?["results"] as? [[String: Any]])?.first)
                #expect(result["policy"] as? String == "aladdin")
                #expect(result["workers"] as? Int == 2)
                #expect(result["queries"] as? Int == 60)
                texts.append(try String(contentsOfFile: records, encoding: .utf8))
            }
            #expect(texts[0] == texts[1])
            #expect(texts[0].split(separator: "\n").count == 61)
            #expect(texts[0].hasPrefix("query,arrival_s,input_tokens,output_tokens,worker,dispatched_s,"))
        }

        @Test func `The fewest workers are null where no number suffices`() async throws {
            // One prompt more stalls the answers beside it by a whole step, and half of one is all they can bear.
            let run = try await Run.aladdin(
                ["simulate"] + flags
                    + ["--find-min-workers", "--max-workers", "1", "--attainment", "1", "--policy", "round-robin"]
                    + ["--slo-atgt-ms", "10.5", "--json"]
            )
            #expect(run.code == 0, "\(run.errors)")
            #expect(run.output.contains("\"workers\" : null"), "\(run.output)")
        }

        @Test(arguments: [
            (["--workers", "2", "--policy", "dice"], "dice"), (["--workers", "0"], "--workers"),
            (["--workers", "2", "--slo-ttft-ms", "0.001"], "--slo-ttft-ms"), ([], "--workers"),
            (["--workers", "2", "--mode", "split"], "--prefill-workers"),
            (["--workers", "2", "--rate", "-1"], "--rate"),
            (["--workers", "2", "--trace", "/absent.csv"], "/absent.csv"),
            (["--workers", "2", "--gpu-price-per-hour", "-1"], "--gpu-price-per-hour"),
            (["--workers", "2", "--gpu-price-per-hour", "1", "--gpu-price-per-hour", "2"], "--gpu-price-per-hour"),
            (["--workers", "2", "--mtbf-s", "0"], "--mtbf-s"),
            (["--workers", "2", "--mtbf-s", "60", "--autoscale", "forecast"], "--mtbf-s"),
            (["--workers", "2", "--closed-loop"], "session_id"),
            (["--workers", "2", "--closed-loop", "--warmup-s", "1"], "--closed-loop"),
            (["--workers", "2", "--closed-loop", "--arrivals", "poisson", "--rate", "9"], "--closed-loop"),
        ])
        func `Wrong input ends with code 2 and what was wrong`(extra: [String], word: String) async throws {
            let run = try await Run.aladdin(["simulate"] + flags + extra)
            #expect(run.code == 2, "\(run.errors)")
            #expect(run.errors.contains(word), "\(run.errors)")
        }

        private func result(_ arguments: [String]) async throws -> [String: Any] {
            let run = try await Run.aladdin(["simulate"] + arguments + ["--json"])
            #expect(run.code == 0, "\(run.errors)")
            let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
            return try #require((object?["results"] as? [[String: Any]])?.first)
        }

        @Test func `A price of GPUs makes costs of them`() async throws {
            let arguments = flags + ["--workers", "3", "--duration-s", "2", "--gpu-price-per-hour", "2"]
            let result = try await result(arguments)
            let cost = try #require(result["cost"] as? [String: Double])
            #expect(cost["gpu_price_per_hour"] == 2)
            // Three workers of one GPU each.
            #expect(cost["per_hour"] == 6)
            #expect(abs((cost["total"] ?? 0) - 6 * 2 / 3600) < 1e-9)
            // Queries 0 to 39 come in two seconds; answers are of 1 to 30 tokens, in turn.
            let tokens = Double((1...30).reduce(0, +) + (1...10).reduce(0, +))
            #expect(abs((cost["per_million_tokens"] ?? 0) - 6 * 2 / 3600 / tokens * 1e6) < 1e-6)
            let table = try await Run.aladdin(["simulate"] + arguments)
            #expect(table.output.contains("cost/hour"), "\(table.output)")
        }

        @Test func `Workers that fail lose no query, and the same ones fail each time`() async throws {
            let arguments = flags + ["--workers", "3", "--seed", "3", "--mtbf-s", "2", "--startup-s", "0.5"]
            let result = try await result(arguments)
            #expect(result["unfinished"] as? Int == 0)
            #expect(result["retried"] as? Int ?? 0 > 0)
            let again = try await self.result(arguments)
            #expect(again["retried"] as? Int == result["retried"] as? Int)
            let undisturbed = try await self.result(flags + ["--workers", "3", "--seed", "3"])
            #expect(undisturbed["retried"] as? Int == 0)
        }

        @Test func `Queries of a session wait for each other in a closed loop`() async throws {
            // Two sessions of five calls, all traced within a second: alone they overlap.
            let lines = (0..<10).map { "\(Double($0) / 10),50,40,\($0 % 2)" }
            let header = "arrival_s,input_tokens,output_tokens,session_id\n"
            let trace = try files.write(header + lines.joined(separator: "\n") + "\n", to: "sessions.csv")
            let records = files.path("loop.csv")
            _ = try await result(
                ["--trace", trace] + flags.suffix(2) + ["--workers", "1", "--closed-loop", "--records", records]
            )
            let table = try String(contentsOfFile: records, encoding: .utf8).split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false)
            }
            let arrival = try #require(table[0].firstIndex(of: "arrival_s"))
            let finish = try #require(table[0].firstIndex(of: "finish_s"))
            for session in 0..<2 {
                let calls = table.dropFirst().enumerated().filter { $0.offset % 2 == session }.map(\.element)
                #expect(calls.count == 5)
                for (call, next) in zip(calls, calls.dropFirst()) {
                    let end = try #require(Double(call[finish]))
                    #expect(try #require(Double(next[arrival])) >= end)
                }
            }
        }

        @Test func `A plan with prices takes the cheapest fleet, not the fewest GPUs`() async throws {
            // A worker of two GPUs that is no faster: cheaper only if its GPUs are.
            var text = try String(contentsOfFile: files.profile(stepMilliseconds: 10), encoding: .utf8)
            // Formulas want work that grows with the load.
            text = text.replacing("\"k1_ms\": 0", with: "\"k1_ms\": 0.01").replacing(
                "\"c2_ms\": 0",
                with: "\"c2_ms\": 0.1"
            )
            let slow = try files.write(text, to: "narrow.json")
            let wide = try files.write(text.replacing("\"gpus\": 1", with: "\"gpus\": 2"), to: "wide.json")
            let arguments = ["plan"] + flags.prefix(2) + ["--profile", slow, "--profile", wide, "--json"]
            for (prices, chosen) in [([], slow), (["5", "2"], wide), (["2", "2"], slow)] {
                let run = try await Run.aladdin(arguments + prices.flatMap { ["--gpu-price-per-hour", $0] })
                #expect(run.code == 0, "\(run.errors)")
                let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
                #expect(object?["profile"] as? String == chosen, "\(run.output)")
                let hasCost = object?["cost_per_hour"] != nil
                #expect(hasCost == !prices.isEmpty)
            }
        }

        @Test func `Bad lines are named, or skipped and counted`() async throws {
            let trace = try files.write("arrival_s,input_tokens,output_tokens\n0,5,5\n1,x,5\n2,5,5\n", to: "bad.csv")
            let arguments = ["simulate", "--trace", trace, "--workers", "1", "--json"] + flags.suffix(2)
            let refused = try await Run.aladdin(arguments)
            #expect(refused.code == 2)
            #expect(refused.errors.contains("line 3"), "\(refused.errors)")
            let empty = try await Run.aladdin(arguments + ["--trace", files.write("", to: "empty.csv")])
            #expect(empty.code == 2)
            #expect(empty.errors.contains("line 1"), "\(empty.errors)")
            let skipped = try await Run.aladdin(arguments + ["--skip-bad"])
            #expect(skipped.code == 0, "\(skipped.errors)")
            #expect(skipped.output.contains("\"skipped_lines\" : 1"), "\(skipped.output)")
        }
    }
}
