internal import Foundation
internal import Messages
internal import ServingModel
internal import Testing

extension IntegrationTests {
    @Suite struct ConfigurationFiles {
        private static let free = Endpoints().flags + ["--http", "127.0.0.1:0"]

        private func emulated(_ files: borrowing TemporaryDirectory, _ lines: String) throws -> String {
            "engine: emulated\nprofile: \(try files.profile(stepMilliseconds: 1))\n\(lines)\n"
        }

        @Test func `A file means what flags and environment mean; the environment wins over it, flags win over both`()
            async throws
        {
            let files = try TemporaryDirectory()
            let text = try emulated(
                files,
                "workers: 1\npolicy: jsq\nslo-ttft-ms: 1234\nslo-atgt-ms: 77\nhttp: nonsense:99999"
            )
            let path = try files.write(text.replacingOccurrences(of: "http: nonsense:99999", with: ""), to: "a.yaml")
            let process = ServiceProcess(
                ["up", "--config", path, "--workers", "3"] + Self.free,
                environment: ["ALADDIN_WORKERS": "2", "ALADDIN_SLO_ATGT_MS": "88"]
            )
            try await process.line("aladdin is ready", in: \.output)
            let status = try await Endpoints(of: process).status("three workers") { $0.workers.count == 3 }
            #expect(status.policy == "jsq")
            #expect(status.objective?.timeToFirstToken == .milliseconds(1234))
            #expect(status.objective?.averageTokenTime == .milliseconds(88))
        }

        @Test(arguments: ["up", "broker", "scheduler", "worker", "gateway", "autoscale"])
        func `A service does not start before all that is wrong is right, and says all of it`(
            command: String
        ) async throws {
            let files = try TemporaryDirectory()
            let path = try files.write("workers: two\n\npolicy: dice\nslo-atgt-ms: -1\nwokers: 3\n", to: "wrong.yaml")
            let run = try await Run.aladdin([command, "--config", path], environment: ["ALADDIN_LOG_LEVEL": "shout"])
            #expect(run.code == 2, "\(run.errors)")
            #expect(
                run.errors.split(separator: "\n").map(String.init) == [
                    "aladdin: \(path):1: workers is 'two'; it must be a whole number from 1 to 1024",
                    "aladdin: \(path):3: policy is 'dice'; it must be one of: aladdin, aladdin-paper, round-robin, random, jsq, "
                        + "power-of-two, least-tokens, least-kv, least-ttft, pending-prefill, cache-aware, weighted, kv-cost, "
                        + "polyserve, or name:key=value",
                    "aladdin: \(path):4: slo-atgt-ms is '-1'; it must be a number of milliseconds above 0, at most 9000000000000",
                    "aladdin: \(path):5: wokers is '3', but there is no such setting; did you mean workers?",
                    "aladdin: ALADDIN_LOG_LEVEL is 'shout'; it must be one of: trace, debug, info, notice, warning, error, critical",
                ]
            )
            #expect(run.output.isEmpty)
        }

        @Test func `A file that is not there ends the command with its name`() async throws {
            for arguments in [["broker", "--config", "/nowhere/a.yaml"], ["config", "check", "/nowhere/a.yaml"]] {
                let run = try await Run.aladdin(arguments)
                #expect(run.code == 2)
                #expect(
                    run.errors.contains("'/nowhere/a.yaml', which cannot be read: there is no such file"),
                    "\(run.errors)"
                )
            }
        }

        @Test func `config check finds what is wrong, one by one and together, and strange variables`() async throws {
            let files = try TemporaryDirectory()
            let good = try files.write("workers: 3\npolicy: jsq\n", to: "good.yaml")
            let right = try await Run.aladdin(
                "config",
                "check",
                environment: ["ALADDIN_CONFIG": good, "ALADDIN_WOKERS": "1"]
            )
            #expect(
                right.code == 0 && right.output == "\(good) is right: 2 settings\n".trimmingCharacters(in: .newlines)
            )
            #expect(right.errors.contains("warning: ALADDIN_WOKERS is no setting"))

            let apart = try files.write("min-workers: 5\nmax-workers: 3\nengine: emulated\n", to: "apart.yaml")
            let wrong = try await Run.aladdin("config", "check", apart)
            #expect(wrong.code == 2)
            #expect(
                wrong.errors.contains("\(apart):2: max-workers is 3; it must be from min-workers, 5, to 10000"),
                "\(wrong.errors)"
            )
            #expect(wrong.errors.contains("--profile"), "\(wrong.errors)")
        }

        @Test func `config show says what holds and who says so, and shows no secret`() async throws {
            let files = try TemporaryDirectory()
            let path = try files.write("# ours\nworkers: 3\npolicy: jsq\n", to: "a.yaml")
            let environment = [
                "ALADDIN_CONFIG": path, "ALADDIN_POLICY": "random", "ALADDIN_UPSTREAM_API_KEY": "hush-hush",
            ]
            let run = try await Run.aladdin(
                "config",
                "show",
                "--json",
                "up",
                "--workers",
                "4",
                "--slo-ttft-ms=70",
                environment: environment
            )
            #expect(run.code == 0 && !run.output.contains("hush"), "\(run.errors)")
            let settings = try #require(try run.json() as? [String: [String: Any]])
            func origin(_ name: String) -> String? { (settings[name]?["origin"] as? [String: Any])?["kind"] as? String }
            func value(_ name: String) -> String? { settings[name]?["value"] as? String }
            #expect(value("workers") == "4" && origin("workers") == "command-line")
            #expect(value("slo-ttft-ms") == "70" && origin("slo-ttft-ms") == "command-line")
            #expect(value("policy") == "random" && origin("policy") == "environment")
            #expect(value("slo-atgt-ms") == "100" && origin("slo-atgt-ms") == "default")
            #expect(value("upstream-api-key") == "(not shown)")
            #expect(settings["standby"] == nil, "up has no such setting")
            let table = try await Run.aladdin("config", "show", environment: environment)
            #expect(table.output.contains("\(path):2"), "\(table.output)")
            #expect(!table.output.contains("hush"))
        }

        @Test func `A changed file is taken over while the service runs; a broken one is not, and says why`()
            async throws
        {
            let files = try TemporaryDirectory()
            let begin = try emulated(files, "policy: jsq\nslo-ttft-ms: 1234")
            let path = try files.write(begin, to: "a.yaml")
            let process = ServiceProcess(["up", "--config", path, "--workers", "1"] + Self.free)
            try await process.line("aladdin is ready", in: \.output)
            let endpoints = try await Endpoints(of: process)
            try await endpoints.status("policy jsq") { $0.policy == "jsq" }

            try replace(
                path,
                with: emulated(
                    files,
                    "policy: random\nslo-ttft-ms: 4321\nmax-output-tokens: 7\nbatching: prefill-priority"
                )
            )
            process.kill(SIGHUP)
            try await process.line("configuration read again")
            #expect(process.errors.text.contains("setting=batching"), "a setting that needs a new start is named")
            try await endpoints.status("policy random, objective 4321 ms") {
                $0.policy == "random" && $0.objective?.timeToFirstToken == .milliseconds(4321)
            }
            let refused = try await Run.aladdin(["query", "--max-tokens", "8", "Hi"] + endpoints.flags)
            #expect(refused.code != 0 && refused.errors.contains("from 1 to 7"), "\(refused.errors)")
            let served = try await Run.aladdin(["query", "--max-tokens", "7", "Hi"] + endpoints.flags)
            #expect(served.code == 0, "\(served.errors)")

            // Without a signal, within a second or so.
            try replace(path, with: emulated(files, "policy: dice\nslo-ttft-ms: 99"))
            try await process.line("policy is 'dice'")
            let status = try await endpoints.status("one worker") { $0.workers.count == 1 }
            #expect(status.policy == "random" && status.objective?.timeToFirstToken == .milliseconds(4321))

            let lines = process.errors.lines.count
            try replace(path, with: emulated(files, "policy: jsq\nslo-classes: slow=60000/500"))
            try await process.line("configuration read again", from: lines)
            try await endpoints.status("policy jsq again") { $0.policy == "jsq" }
            let answer = try await endpoints.withClient { client in
                try await Answer.of(client, .chat("Hi", maxTokens: 4, metadata: [("x-slo-class", "slow")]))
            }
            #expect(answer.failure == nil && answer.count == 4)
            process.kill(SIGINT)
            #expect(try await process.exitCode() == 0, "\(process.transcript)")
        }

        /// In one step, as operators should.
        private func replace(_ path: String, with text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        }
    }
}
