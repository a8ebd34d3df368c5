internal import Foundation
internal import Messages
internal import Testing

extension IntegrationTests {
    /// What commands make of their arguments, and say of wrong ones.
    @Suite struct Arguments {
        private let files: TemporaryDirectory
        private let trace: String
        private let profile: String

        init() throws {
            files = try TemporaryDirectory()
            trace = try files.write("arrival_s,input_tokens,output_tokens\n0,5,5\n1,5,5\n", to: "trace.csv")
            profile = try files.profile(stepMilliseconds: 10)
        }

        private func simulate(_ arguments: String..., environment: [String: String] = [:]) async throws -> Run {
            let usual = ["simulate", "--profile", profile]
            let trace = arguments.contains("--trace") ? [] : ["--trace", trace]
            return try await Run.aladdin(usual + trace + arguments, environment: environment)
        }

        @Test(arguments: [
            (["simulate", "--workers"], "-1", "a whole number from 1"),
            (["simulate", "--workers"], "two", "whole number"),
            (["simulate", "--workers"], "1.5", "whole number"), (["simulate", "--seed"], "-1", "a whole number"),
            (["simulate", "--slo-ttft-ms"], "-1", "a number of milliseconds above 0"),
            (["plan", "--max-workers"], "-1", "a whole number from 1"),
            (["calibrate", "--max-error"], "-1", "above 0"),
            (["query", "x", "--temperature"], "-1", "at least 0"),
            (["query", "x", "--priority"], "-5000", "from -1000 to 1000"),
            (["query", "x", "--ttft-ms"], "abc", "a number of milliseconds above 0"),
            (["bench", "--rate"], "0", "queries per second above 0"), (["top", "--interval-s"], "-1", "at least 0.1"),
        ])
        func `A wrong number is named with its option and what is expected`(
            arguments: [String],
            value: String,
            words: String
        ) async throws {
            let run = try await Run.aladdin(arguments + [value])
            #expect(run.code == 2, "\(run.errors)")
            #expect(run.errors.contains("'\(value)'"), "\(run.errors)")
            #expect(run.errors.contains(arguments.last ?? ""), "\(run.errors)")
            #expect(run.errors.contains(words), "\(run.errors)")
        }

        @Test func `A negative priority is one`() async throws {
            let endpoint = "tcp://127.0.0.1:1"
            let run = try await Run.aladdin("query", "x", "--priority", "-5", "--frontend-endpoint", endpoint)
            #expect(run.code == 1, "\(run.errors)")
            #expect(run.errors.contains("no connection to the broker at \(endpoint)"), "\(run.errors)")
        }

        @Test func `Usage is the command's, also of what is found out later`() async throws {
            let run = try await simulate("--workers", "1", "--mode", "sometimes")
            #expect(run.code == 2 && run.errors.contains("Usage: aladdin simulate ["), "\(run.errors)")
            #expect(run.errors.contains("See 'aladdin simulate --help'"), "\(run.errors)")
            let nested = try await Run.aladdin("keys", "new", "a", "--role", "king")
            #expect(nested.errors.contains("See 'aladdin keys new --help'"), "\(nested.errors)")
        }

        @Test(arguments: [
            (["simulate", "--workers", "1", "--seeds", "1,1"], "--seeds"),
            (["bench", "--http", "http://127.0.0.1:1", "--frontend-endpoint", "tcp://127.0.0.1:1"], "--http"),
            (["up", "--model", "/nowhere"], "--model is '/nowhere'"),
        ])
        func `What can't be meant is refused`(arguments: [String], words: String) async throws {
            var arguments = arguments
            if arguments[0] != "up" { arguments += ["--trace", trace] }
            if arguments[0] == "simulate" { arguments += ["--profile", profile] }
            let run = try await Run.aladdin(arguments)
            #expect(run.code == 2 && run.errors.contains(words), "\(run.errors)")
        }

        @Test func `A simulation is what its command line says, whatever a service's environment`() async throws {
            let run = try await simulate(
                "--workers",
                "1",
                "--json",
                environment: ["ALADDIN_POLICY": "jsq", "ALADDIN_SLO_TTFT_MS": "0.001", "ALADDIN_WORKERS": "many"]
            )
            #expect(run.code == 0, "\(run.errors)")
            #expect(run.output.contains("\"policy\" : \"aladdin\""), "\(run.output)")
        }

        @Test func `Traces are read from standard input, and conversations have any name`() async throws {
            let sessions = try files.write(
                "arrival_s,input_tokens,output_tokens,session_id\n0,5,5,a-1\n0.5,6,5,a-1\n",
                to: "sessions.csv"
            )
            for name in ["-", "/dev/stdin"] {
                let arguments = ["simulate", "--trace", name, "--profile", profile, "--workers", "1", "--closed-loop"]
                let run = try await Run.command(
                    "/bin/sh",
                    ["-c", "\"$@\" < '\(sessions)'", "sh", Executable.path] + arguments
                )
                #expect(run.code == 0 && run.output.contains("2 queries"), "\(run.errors)")
            }
        }

        @Test func `A trace that is none is told from one with bad lines`() async throws {
            let header = "arrival_s,input_tokens,output_tokens\n"
            let binary = files.url.appendingPathComponent("binary")
            try Data([0x30, 0xFF, 0xFE]).write(to: binary)
            let cases = [
                (files.url.path, "it is a directory", false), (binary.path, "UTF-8", false),
                (try files.write("", to: "empty"), "the file is empty", false),
                (try files.write(header, to: "header"), "no query", false),
                (try files.write("arrival_s,input_tokens\n0,1\n", to: "columns"), "output_tokens is missing", false),
                (try files.write(header + "0,x,1\n", to: "worst"), "input_tokens", false),
                (try files.write(header + "0,x,1\n0,1,1\n", to: "bad"), "input_tokens", true),
            ]
            for (path, words, canSkip) in cases {
                let run = try await simulate("--workers", "1", "--trace", path)
                #expect(run.code == 2 && run.errors.contains(words), "\(run.errors)")
                #expect(run.errors.contains("--skip-bad") == canSkip, "\(run.errors)")
            }
        }

        @Test func `Queries that no worker can hold are not blamed on objectives`() async throws {
            let long = try files.write("arrival_s,input_tokens,output_tokens\n0,399999,9\n", to: "long.csv")
            let run = try await simulate("--workers", "1", "--trace", long, "--slo-ttft-ms", "1")
            #expect(run.code == 2, "\(run.errors)")
            #expect(run.errors.contains("more than 0.9 of the 400000 tokens"), "\(run.errors)")
            #expect(!run.errors.contains("--slo-ttft-ms is"), "\(run.errors)")
        }

        @Test func `Where a profile stops being JSON is said`() async throws {
            let bad = try files.write("{\"model\": \"m\",\n \"gpus\": x}", to: "bad.json")
            let run = try await Run.aladdin("simulate", "--trace", trace, "--workers", "1", "--profile", bad)
            #expect(run.code == 2, "\(run.errors)")
            let words = "\(bad) is not valid JSON: line 2, column 10: expected a value"
            #expect(run.errors.contains(words), "\(run.errors)")
        }

        @Test func `A plan across models says that it is one`() async throws {
            let other = try files.profile(stepMilliseconds: 10, model: "other")
            let arguments = ["plan", "--trace", trace, "--profile", profile, "--profile"]
            let run = try await Run.aladdin(arguments + [other])
            #expect(run.errors.contains("different models") && run.errors.contains("imitation, other"), "\(run.errors)")
            let same = try await Run.aladdin(arguments + [profile])
            #expect(!same.errors.contains("models"), "\(same.errors)")
        }

        @Test func `Keys have a usual place, of which brokers know nothing`() async throws {
            let environment = ["XDG_STATE_HOME": files.path("state")]
            let made = try await Run.aladdin("keys", "new", "alice", "--role", "frontend", environment: environment)
            #expect(made.code == 0, "\(made.errors)")
            #expect(made.output == files.path("state") + "/aladdin/keys/alice.key", "\(made.output)")
            let listed = try await Run.aladdin("keys", "list", environment: environment)
            #expect(listed.code == 0 && listed.output.contains("alice"), "\(listed.errors)")
            #expect(try await Run.aladdin("keys", "revoke", "alice", environment: environment).code == 0)

            let broker = ServiceProcess(["broker", "--journal", "none"] + Endpoints().flags, environment: environment)
            let endpoints = try await Endpoints(of: broker)
            #expect(try await endpoints.status().workers.isEmpty)
        }

        @Test func `A broker that answers is not taken for one that wants keys`() async throws {
            let broker = ServiceProcess(["broker", "--journal", "none"] + Endpoints().flags)
            let endpoints = try await Endpoints(of: broker)
            let run = try await Run.aladdin(["query", "Hi", "--json"] + endpoints.flags)
            #expect(run.code == 1 && run.errors.contains("no worker is connected"), "\(run.errors)")
            #expect(!run.errors.contains("--key"), "\(run.errors)")
            let error = try #require(try run.json()["error"] as? [String: Any])
            #expect(error["retry_after_s"] as? Double ?? 0 > 0)
        }

        @Test func `A query that asks for what there is not, or under another's name, is wrong input`() async throws {
            let service = ServiceProcess(
                ["up", "--engine", "emulated", "--profile", profile, "--http", "127.0.0.1:0", "--journal", "none"]
                    + Endpoints().flags
            )
            try await service.line("aladdin is ready", in: \.output)
            let endpoints = try await Endpoints(of: service)
            func query(_ arguments: String...) async throws -> Run {
                try await Run.aladdin(["query", "--max-tokens", "2"] + arguments + endpoints.flags)
            }
            #expect(try await query("Hi", "--model", "nope").code == 2)
            #expect(try await query("Hi", "--idempotency-key", "k").code == 0)
            #expect(try await query("Hi", "--idempotency-key", "k").code == 0)
            #expect(try await query("Ho", "--idempotency-key", "k").code == 2)
        }

        @Test func `A query that waits for a worker says so, and is answered when one comes`() async throws {
            let cluster = try await Cluster.start("--journal", "none")
            let flags = ["--engine", "emulated", "--profile", profile]
            let first = ServiceProcess(["worker", "--name", "first"] + flags + cluster.endpoints.flags)
            try await cluster.endpoints.status("a worker") { $0.workers.count == 1 }
            first.kill(SIGTERM)
            try await first.exitCode()
            try await cluster.endpoints.status("no worker") { $0.workers.isEmpty }
            let query = ServiceProcess(["query", "Hi", "--max-tokens", "2"] + cluster.endpoints.flags)
            try await query.line("waits for a worker")
            let next = ServiceProcess(["worker", "--name", "next"] + flags + cluster.endpoints.flags)
            #expect(try await query.exitCode() == 0, "\(query.transcript)")
            _ = next
        }
    }
}
