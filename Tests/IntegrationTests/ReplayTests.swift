internal import Brokering
internal import Foundation
internal import Journal
internal import ServingModel
internal import Testing

extension IntegrationTests {
    @Suite struct Replay {
        private let files: TemporaryDirectory

        init() throws {
            files = try TemporaryDirectory()
        }

        private func replay(_ arguments: [String]) async throws -> (run: Run, object: [String: Any]) {
            let run = try await Run.aladdin(["replay", "--json"] + arguments)
            let object = try? JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
            return (run, object ?? [:])
        }

        @Test func `Five thousand recorded queries are replayed under other policies and numbers of workers`()
            async throws
        {
            let journal = try RecordedJournal(in: files.path("journal"), queries: 5200, rate: 40, workers: 3)
            #expect(journal.ended > 5000)
            let flags = ["--journal", journal.directory, "--profile", try files.profile(stepMilliseconds: 10)]
            let same = try await replay(flags + ["--policy", "aladdin,round-robin"])
            #expect(same.run.code == 0, "\(same.run.errors)")
            #expect(same.run.errors.contains("left out 52 queries that have not ended and 52 whose lengths"))
            let recorded = try #require(same.object["recorded"] as? [String: Any])
            #expect(recorded["queries"] as? Int == journal.ended)
            #expect(recorded["workers"] as? Int == 3)
            let attainment = Double(journal.met) / Double(journal.ended)
            #expect(abs(((recorded["attainment"] as? Double) ?? 0) - attainment) < 1e-9)
            let results = try #require(same.object["results"] as? [[String: Any]])
            #expect(results.map { $0["policy"] as? String } == ["aladdin", "round-robin"])
            // As many workers as there were.
            #expect(results.allSatisfy { $0["workers"] as? Int == 3 && $0["queries"] as? Int == journal.ended })
            #expect(results[0]["attainment_by_tenant"] != nil)

            let fewest = try await replay(flags + ["--find-min-workers", "--attainment", "0.9", "--policy", "jsq"])
            #expect(fewest.run.code == 0, "\(fewest.run.errors)")
            let size = (fewest.object["results"] as? [[String: Any]])?.first?["workers"] as? Int
            #expect((1...3).contains(size ?? 0))
        }

        @Test func `A journal is replayed while a broker has it open`() async throws {
            let recorded = try RecordedJournal(in: files.path("journal"), queries: 60, rate: 20, workers: 2)
            let journal = SQLiteJournal(directory: recorded.directory) { UnixTime(milliseconds: 1_790_000_100_000) }
            _ = try journal.recover()
            journal.start { _ in }
            let flags = ["--journal", recorded.directory, "--profile", try files.profile(stepMilliseconds: 10)]
            let run = try await replay(flags + ["--slo-ttft-ms", "5000"])
            #expect(run.run.code == 0, "\(run.run.errors)")
            let result = (run.object["results"] as? [[String: Any]])?.first
            #expect(result?["queries"] as? Int == recorded.ended)
            #expect(result?["attainment"] as? Double == 1)
            journal.close()
        }

        @Test func `Without a profile the workers are those that the broker has noted`() async throws {
            let profile = try files.profile(stepMilliseconds: 3)
            let journal = files.path("journal")
            let flags = ["--engine", "emulated", "--profile", profile, "--data", journal]
            let service = try await Service.up(flags, workers: 3)
            for number in 0..<6 {
                let sent = try await Run.aladdin(["query", "\(number)", "--max-tokens", "5"] + service.endpoints.flags)
                #expect(sent.code == 0, "\(sent.errors)")
            }
            service.process.kill(SIGINT)
            #expect(try await service.process.exitCode() == 0)
            let (run, object) = try await replay(["--journal", journal, "--workers", "2"])
            #expect(run.code == 0, "\(run.errors)")
            let result = try #require((object["results"] as? [[String: Any]])?.first)
            #expect(result["workers"] as? Int == 2 && result["queries"] as? Int == 6)
            // A token each 3 ms, as the profile has it.
            let pace = try #require((result["atgt_ms"] as? [String: Any])?["p50"] as? Double)
            #expect(pace >= 2.9 && pace < 4, "\(pace)")
        }

        @Test func `Wrong input ends with code 2 and what was wrong`() async throws {
            let recorded = try RecordedJournal(in: files.path("journal"), queries: 20, rate: 20, workers: 2)
            let profile = try files.profile(stepMilliseconds: 10)
            for (arguments, word) in [
                (["--journal", files.path("absent"), "--profile", profile], "there is no journal in"),
                (["--journal", recorded.directory], "--profile is missing"),
                (["--journal", recorded.directory, "--profile", profile, "--model", "other"], "'imitation'"),
                (["--journal", recorded.directory, "--profile", profile, "--policy", "dice"], "dice"),
            ] {
                let (run, _) = try await replay(arguments)
                #expect(run.code == 2, "\(run.errors)")
                #expect(run.errors.contains(word), "\(run.errors)")
            }
        }
    }
}
