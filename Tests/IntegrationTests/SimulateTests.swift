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
        ])
        func `Wrong input ends with code 2 and what was wrong`(extra: [String], word: String) async throws {
            let run = try await Run.aladdin(["simulate"] + flags + extra)
            #expect(run.code == 2, "\(run.errors)")
            #expect(run.errors.contains(word), "\(run.errors)")
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
