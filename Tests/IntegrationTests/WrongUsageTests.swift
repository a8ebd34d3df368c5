internal import Foundation
internal import Messages
internal import Testing

extension IntegrationTests {
    @Suite struct WrongUsage {
        @Test(arguments: [
            ["up", "--engine", "perpetuum"], ["up", "--policy", "dice"], ["up", "--workers", "0"],
            ["up", "--workers", "two"],
            ["up", "--http", "nonsense"], ["up", "--http", "127.0.0.1:99999"], ["up", "--http", "127.0.0.1:-1"],
            ["up", "--batching", "sometimes"], ["up", "--slo-ttft-ms", "nan"], ["up", "--slo-atgt-ms", "0"],
            ["up", "--log-level", "shout"], ["up", "--kv-capacity-tokens", "1"], ["up", "--engine", "emulated"],
            ["up", "--frontend-endpoint", "nonsense"], ["up", "--frontend-endpoint", "tcp://127.0.0.1"],
            ["up", "--admin-endpoint", "tcp://127.0.0.1:99999"], ["broker", "--worker-endpoint", "udp://127.0.0.1:1"],
            ["broker", "--result-retention-h", "0"], ["broker", "--max-results", "-1"],
            ["broker", "--journal-gib", "much"], ["broker", "--scheduler-endpoint", "tcp://"],
            ["scheduler", "--policy", "dice"],
            ["scheduler", "--scheduler-endpoint", "tcp://127.0.0.1:port"], ["worker", "--engine", "perpetuum"],
            ["worker", "--worker-endpoint", "tcp://127.0.0.1:99999"], ["gateway", "--http", "8080:"],
            ["gateway", "--frontend-endpoint", "tcp://127.0.0.1:99999"], ["query", "--max-tokens", "many", "Hi"],
            ["query", "--frontend-endpoint", "tcp://127.0.0.1:99999", "Hi"],
            ["status", "--admin-endpoint", "nonsense"], ["top", "--admin-endpoint", "nonsense"],
            ["top", "--interval-s", "0"],
            ["bench", "--trace", "/dev/null", "--rate", "fast"], ["up", "--wizardry"],
        ])
        func `A wrong flag ends the command with code 2 and its name`(arguments: [String]) async throws {
            // No test may depend on the default ports: flags that are not under test name free ones.
            var arguments = arguments
            let flags = Endpoints().flags + ["--http", "127.0.0.1:0"]
            if arguments[0] == "up" {
                for index in stride(from: 0, to: flags.count, by: 2) where !arguments.contains(flags[index]) {
                    arguments += flags[index...(index + 1)]
                }
            }
            let run = try await Run.aladdin(arguments)
            #expect(run.code == 2, "\(run.code): \(run.errors)")
            let flag = try #require(arguments.dropFirst().first { $0.hasPrefix("--") })
            #expect(run.errors.contains(flag), "\(run.errors)")
            #expect(!run.errors.contains("Fatal error"), "\(run.errors)")
        }

        @Test(arguments: [
            ("ALADDIN_POLICY", "nonsense"), ("ALADDIN_WORKERS", "many"), ("ALADDIN_ENGINE", "perpetuum"),
            ("ALADDIN_HTTP", "nowhere"), ("ALADDIN_SLO_TTFT_MS", "-1"), ("ALADDIN_BATCHING", "never"),
        ])
        func `A wrong setting in the environment ends the command with code 2 and what was wrong`(
            variable: String,
            value: String
        ) async throws {
            var arguments = ["up"] + Endpoints().flags
            if variable != "ALADDIN_HTTP" { arguments += ["--http", "127.0.0.1:0"] }
            let run = try await Run.aladdin(arguments, environment: [variable: value])
            #expect(run.code == 2, "\(run.code): \(run.errors)")
            let flag = "--" + variable.dropFirst("ALADDIN_".count).lowercased().replacingOccurrences(of: "_", with: "-")
            #expect(run.errors.contains(flag) || run.errors.contains(variable), "\(run.errors)")
            #expect(run.errors.contains(value), "\(run.errors)")
            #expect(!run.errors.contains("Fatal error"), "\(run.errors)")
        }

        @Test func `Settings in the environment mean what the flags mean, and flags win`() async throws {
            let files = try TemporaryDirectory()
            let profile = try files.profile(stepMilliseconds: 1)
            let environment = [
                "ALADDIN_POLICY": "jsq", "ALADDIN_ENGINE": "emulated", "ALADDIN_PROFILE": profile,
                "ALADDIN_WORKERS": "3", "ALADDIN_HTTP": "nonsense",
            ]
            let process = ServiceProcess(["up", "--http", "127.0.0.1:0"] + Endpoints().flags, environment: environment)
            try await process.line("aladdin is ready", in: \.output)
            let endpoints = try await Endpoints(of: process)
            let status = try await endpoints.status("three workers") { $0.workers.count == 3 }
            #expect(status.policy == "jsq")
            #expect(status.workers.allSatisfy { $0.engine == "emulated" })
        }

        @Test func `Commands that find nobody fail with words and code 1`() async throws {
            let query = try await Run.aladdin("query", "--frontend-endpoint", "tcp://127.0.0.1:1", "Hi")
            #expect(query.code == 1)
            #expect(query.errors.contains("aladdin: "), "\(query.errors)")
            let status = try await Run.aladdin("status", "--admin-endpoint", "tcp://127.0.0.1:1")
            #expect(status.code == 1)
            #expect(status.errors.contains("tcp://127.0.0.1:1"), "\(status.errors)")
        }

        @Test(arguments: [
            ("{", "JSON"), ("[]", "profile"), ("{\"model\": \"m\"}", "prefill"),
            (
                #"{"model":"m","device":"d","gpus":1,"prefill":{"c1_ms":-1},"decode":{"c3_ms":1},"kv":{"capacity_tokens":100}}"#,
                "c1_ms"
            ),
            (
                #"{"model":"m","device":"d","gpus":1,"prefill":{"c1_ms":"x"},"decode":{"c3_ms":1},"kv":{"capacity_tokens":100}}"#,
                "c1_ms"
            ),
            (
                #"{"model":"m","device":"d","gpus":1,"prefill":{"c1_ms":1},"decode":{"c3_ms":1},"kv":{"capacity_tokens":0}}"#,
                "capacity_tokens"
            ),
        ])
        func `A bad profile ends the worker with code 2, the file and the field`(
            text: String,
            word: String
        ) async throws {
            let files = try TemporaryDirectory()
            let path = try files.write(text, to: "profile.json")
            let run = try await Run.aladdin(
                "worker",
                "--engine",
                "emulated",
                "--profile",
                path,
                "--worker-endpoint",
                "tcp://127.0.0.1:1"
            )
            #expect(run.code == 2, "\(run.code): \(run.errors)")
            #expect(run.errors.contains(path) && run.errors.contains(word), "\(run.errors)")
        }
    }
}
