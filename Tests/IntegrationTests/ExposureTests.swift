internal import Foundation
internal import Testing

extension IntegrationTests {
    /// What is refused before anything listens.
    @Suite struct Exposure {
        @Test(arguments: [
            ["broker", "--worker-endpoint", "tcp://0.0.0.0:*"], ["broker", "--frontend-endpoint", "tcp://*:*"],
            ["broker", "--admin-endpoint", "tcp://[::]:*"], ["broker", "--scheduler-endpoint", "tcp://eth0:*"],
            ["up", "--frontend-endpoint", "tcp://0.0.0.0:*"], ["up", "--http", "0.0.0.0:0"],
            ["gateway", "--http", "0.0.0.0:0"], ["gateway", "--http", "[::]:0"],
        ])
        func `Listening where others can come needs keys, or the word that they are trusted`(
            arguments: [String]
        ) async throws {
            var arguments = arguments
            for (index, flag) in zip(0..., Endpoints().flags) where index.isMultiple(of: 2) {
                if !arguments.contains(flag) { arguments += [flag, "tcp://127.0.0.1:*"] }
            }
            if arguments[0] == "up", !arguments.contains("--http") { arguments += ["--http", "127.0.0.1:0"] }
            let run = try await Run.aladdin(arguments)
            #expect(run.code == 2, "\(run.code): \(run.errors)")
            for word in ["--keys", "127.0.0.1", "--insecure-bind"] {
                #expect(run.errors.contains(word), "\(run.errors)")
            }
        }

        @Test func `With the word that others are trusted they are let in, and the log is loud about it`() async throws
        {
            var endpoints = Endpoints()
            endpoints.worker = "tcp://0.0.0.0:*"
            for (flags, environment) in [(["--insecure-bind"], [:]), ([], ["ALADDIN_INSECURE_BIND": "true"])] {
                let broker = ServiceProcess(["broker"] + endpoints.flags + flags, environment: environment)
                try await broker.line("broker serves")
                #expect(broker.errors.text.contains("warning") && broker.errors.text.contains("INSECURE"))
                broker.kill(SIGTERM)
                #expect(try await broker.exitCode() == 0)
            }
        }

        @Test func `With keys a broker listens anywhere`() async throws {
            let keys = try await Keys()
            var endpoints = Endpoints()
            endpoints.frontend = "tcp://0.0.0.0:*"
            let broker = ServiceProcess(["broker", "--keys", keys.path] + endpoints.flags)
            try await broker.line("broker serves")
            #expect(!broker.errors.text.contains("INSECURE"))
        }

        @Test func `Keys that cannot be right are refused with words`() async throws {
            let keys = try await Keys()
            let alice = try await keys.make("alice", "frontend")
            func refusal(_ arguments: String..., in environment: [String: String] = [:]) async throws -> String {
                let run = try await Run.aladdin(arguments, environment: environment)
                #expect(run.code == 2, "\(arguments): \(run.code) \(run.errors)")
                #expect(!run.errors.contains("Fatal error"))
                return run.errors
            }
            let new = ["keys", "new"]
            for name in ["../alice", "", "a b", "-x", ".alice"] {
                let run = try await Run.aladdin(new + ["--role", "worker", "--keys", keys.path, "--", name])
                #expect(run.code == 2 && run.errors.contains("letters"), "\(name): \(run.errors)")
            }
            #expect(
                try await refusal("keys", "new", "alice", "--role", "worker", "--keys", keys.path).contains("taken")
            )
            #expect(try await refusal("keys", "new", "x", "--role", "king", "--keys", keys.path).contains("frontend"))
            #expect(try await refusal("keys", "revoke", "nobody", "--keys", keys.path).contains("nobody"))
            #expect(
                try await refusal("keys", "list", in: ["XDG_STATE_HOME": "/nowhere"]).contains("/nowhere/aladdin/keys")
            )
            #expect(try await refusal("keys", "list", in: ["ALADDIN_KEYS": "/nowhere"]).contains("keys init"))
            #expect(try await refusal("broker", "--keys", "/nowhere").contains("keys init"))
            #expect(try await refusal("query", "Hi", "--server-key", "x").contains("40 characters of Z85"))
            let server = String(repeating: "a", count: 40)
            #expect(try await refusal("query", "Hi", "--server-key", server).contains("--key FILE"))

            chmod(alice, 0o644)
            #expect(try await refusal("query", "Hi", "--key", alice).contains("chmod 600"))
            chmod("\(keys.path)/server/worker.key", 0o640)
            #expect(try await refusal("broker", "--keys", keys.path).contains("chmod 600"))
            chmod("\(keys.path)/server/worker.key", 0o600)
            try "{".write(toFile: "\(keys.path)/registry.json", atomically: true, encoding: .utf8)
            #expect(try await refusal("broker", "--keys", keys.path).contains("registry.json"))
        }
    }
}
