internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import Testing

extension IntegrationTests {
    /// Who gets in, and who does not.
    @Suite struct Security {
        private static let question = "Tell me a story about a lamp."

        @Test func `A Python client with a key gets a streamed answer; one without, or with another's, gets none`()
            async throws
        {
            let keys = try await Keys()
            let alice = try await keys.make("alice", "frontend")
            let worker = try keys.disguised(try await keys.make("w1", "worker"))
            let service = try await SecuredService.up(keys)
            let python = try await Python.interpreter()
            let environment = ["PYTHONPATH": try await Python.messages(in: keys.files), "PYTHONUNBUFFERED": "1"]
            let client = Executable.repository.appendingPathComponent("docs/examples/client.py").path
            func ask(_ flags: String...) async throws -> Run {
                let arguments = [client, Self.question, "--endpoint", service.endpoints.frontend, "--max-tokens", "24"]
                return try await Run.command(python, arguments + flags, environment: environment)
            }
            let answer = try await ask("--key", alice)
            #expect(answer.code == 0, "\(answer.errors)")
            let own = try await service.query(Self.question, "--max-tokens", "24", "--key", alice)
            #expect(own.code == 0, "\(own.errors)")
            #expect(answer.output.trimmingCharacters(in: .newlines) == own.output.trimmingCharacters(in: .newlines))
            async let withNone = ask()
            async let withWorkers = ask("--key", worker)
            for refused in try await [withNone, withWorkers] {
                #expect(refused.code == 1)
                #expect(refused.output.isEmpty)
                #expect(refused.errors.contains("does not answer"), "\(refused.errors)")
            }
        }

        @Test func `A stranger's, a revoked and a worker's key are refused with the reason`() async throws {
            let keys = try await Keys()
            let bob = try await keys.make("bob", "frontend")
            let worker = try await keys.make("w1", "worker")
            // Its owner is known elsewhere; here only the server's key fits.
            let other = try await Keys()
            let stranger = try await other.make("alice", "frontend")
            let server = try Keys.value("server_key", in: bob)
            try await keys.revoke("bob")
            let service = try await SecuredService.up(keys)
            let disguised = try keys.disguised(worker)
            // Each waits for its patience to end, so they wait together.
            async let strangers = service.query("Hi", "--key", stranger, "--server-key", server)
            async let revoked = service.query("Hi", "--key", bob)
            async let workers = service.query("Hi", "--key", disguised, "--server-key", server)
            async let none = service.query("Hi")
            for refused in try await [strangers, revoked, workers] {
                #expect(refused.code == 1 && refused.errors.contains("refuses this key"), "\(refused.errors)")
            }
            let keyless = try await none
            #expect(keyless.code == 1 && keyless.errors.contains("--key"), "\(keyless.errors)")
            let mistaken = try await service.query("Hi", "--key", worker)
            #expect(mistaken.code == 2 && mistaken.errors.contains("frontend"), "\(mistaken.errors)")
            let line = try await service.process.line("a key was refused")
            #expect(line.contains("endpoint=frontend") && line.contains("from=127.0.0.1"), "\(line)")
        }

        @Test func `Revoking a key ends its live session and the query it had under way`() async throws {
            let keys = try await Keys()
            let alice = try await keys.make("alice", "frontend")
            let bob = try await keys.make("bob", "frontend")
            let admin = try await keys.make("op", "admin")
            let profile = try keys.files.profile(stepMilliseconds: 50)
            let service = try await SecuredService.up(keys, "--engine", "emulated", "--profile", profile)
            let (started, signal) = AsyncStream<Void>.makeStream()
            async let lost = service.withClient(alice) { client in
                // A query that fails has no token.
                defer { signal.finish() }
                return try await Answer.of(client, .chat("Hi", maxTokens: 100_000)) { _ in signal.finish() }
            }
            for await _ in started {}
            try await keys.revoke("alice")
            let answer = try await lost
            #expect(answer.failure?.code == .unauthenticated)
            #expect(answer.failure?.reason == .keyRevoked)
            _ = try await eventually("the query to be cancelled") {
                try await Run.aladdin(["status", "--json", "--key", admin] + service.endpoints.flags)
            } until: { status in
                let models = try? status.json()["models"] as? [[String: Any]]
                return models?.first?["running"] as? Int == 0
            }
            let others = try await service.query("Hi", "--max-tokens", "2", "--key", bob)
            #expect(others.code == 0, "\(others.errors)")
        }

        @Test func `A key that expires loses its live session, and lets nobody in any more`() async throws {
            let keys = try await Keys()
            let alice = try await keys.make("alice", "frontend", "--expires", "1h")
            let profile = try keys.files.profile(stepMilliseconds: 50)
            let service = try await SecuredService.up(keys, "--engine", "emulated", "--profile", profile)
            let (started, signal) = AsyncStream<Void>.makeStream()
            async let lost = service.withClient(alice) { client in
                // A query that fails has no token.
                defer { signal.finish() }
                return try await Answer.of(client, .chat("Hi", maxTokens: 100_000)) { _ in signal.finish() }
            }
            for await _ in started {}
            // Its hour is over.
            let registry = "\(keys.path)/registry.json"
            let text = try String(contentsOfFile: registry, encoding: .utf8)
            let entry = try Regex(#""expires_unix" : [0-9]+"#)
            #expect(text.contains(entry))
            let later = text.replacing(entry, with: "\"expires_unix\" : \(Int(Date().timeIntervalSince1970) - 1)")
            try later.write(toFile: registry, atomically: true, encoding: .utf8)
            #expect(try await lost.failure?.reason == .keyRevoked)
            let refused = try await service.query("Hi", "--key", alice)
            #expect(refused.code == 1 && refused.errors.contains("refuses this key"), "\(refused.errors)")
            let list = try await Run.aladdin("keys", "list", "--keys", keys.path)
            #expect(list.output.contains("expired"), "\(list.errors)")
            let past = try await Run.aladdin(
                "keys",
                "new",
                "bob",
                "--role",
                "worker",
                "--expires",
                "2020-01-31",
                "--keys",
                keys.path
            )
            #expect(past.code == 2 && past.errors.contains("which is past"), "\(past.code) \(past.errors)")
        }

        @Test func `A tenant's query does not exist for another, not even for its operator`() async throws {
            let keys = try await Keys()
            let alice = try await keys.make("alice", "frontend", "--tenant", "acme")
            let gateway = try await keys.make("proxy", "frontend", "--any-tenant")
            let acme = try await keys.make("op-acme", "admin", "--tenant", "acme")
            let other = try await keys.make("op-other", "admin", "--tenant", "other")
            let everybody = try await keys.make("op", "admin")
            let service = try await SecuredService.up(keys)
            let run = try await service.query("Hi", "--max-tokens", "4", "--json", "--key", alice)
            let id = try #require(try run.json()["query_id"] as? String, "\(run.errors)")
            func explain(_ key: String) async throws -> Run {
                try await Run.aladdin(["explain", id, "--json", "--key", key] + service.endpoints.flags)
            }
            for key in [acme, everybody] { #expect(try await explain(key).code == 0) }
            let hidden = try await explain(other)
            #expect(hidden.code == 1 && hidden.errors.contains("no such query"), "\(hidden.errors)")
            let claimed = try await service.query("Hi", "--tenant", "other", "--key", alice)
            #expect(claimed.code == 1 && claimed.errors.contains("tenant_forbidden"), "\(claimed.errors)")
            let spoken = try await service.query("Hi", "--max-tokens", "2", "--tenant", "other", "--key", gateway)
            #expect(spoken.code == 0, "\(spoken.errors)")
        }

        @Test func `Only its own tenant reads, ends and acknowledges a query, over CURVE and over HTTP`() async throws {
            let keys = try await Keys()
            let alice = try await keys.make("alice", "frontend", "--tenant", "acme")
            let mallory = try await keys.make("mallory", "frontend", "--tenant", "other")
            let proxy = try await keys.make("proxy", "frontend", "--any-tenant")
            let own = "authorization: Bearer \(try await keys.make("web", "http", "--tenant", "acme"))"
            let foreign = "authorization: Bearer \(try await keys.make("spy", "http", "--tenant", "other"))"
            let profile = try keys.files.profile(stepMilliseconds: 20)
            let service = try await SecuredService.up(keys, "--engine", "emulated", "--profile", profile)
            try await service.withClient(alice) { client in
                var events = client.generate(.chat("Hi", maxTokens: 100_000)).makeAsyncIterator()
                guard case .accepted(let id)? = try await events.next() else { throw CancellationError() }
                let nobody = "0190163d-8694-739b-aea5-966c26f8ad91"
                for id in [id, nobody] {
                    try await service.withClient(mallory) { other in
                        try await Self.expectNothing(of: id, from: other, tenant: nil)
                        let claimed = await #expect(throws: Status.self) { try await other.cancel(id, tenant: "acme") }
                        #expect(claimed?.reason == .tenantForbidden)
                    }
                    try await service.withClient(proxy) { other in
                        try await Self.expectNothing(of: id, from: other, tenant: "other")
                    }
                    for path in ["/v1/queries/\(id)", "/v1/queries/\(id)?stream=true"] {
                        #expect(try await HTTP.get(service.url + path, headers: [foreign]).status == 404)
                    }
                }
                // It has survived all that.
                let tooEarly = await #expect(throws: Status.self) { try await client.acknowledge(id) }
                #expect(tooEarly?.reason == .queryRuns)
                try await client.cancel(id)
                let ended = await #expect(throws: Status.self) { while try await events.next() != nil {} }
                #expect(ended?.reason == .cancelledByClient)
                #expect(try await HTTP.get("\(service.url)/v1/queries/\(id)", headers: [own]).status == 200)
                try await service.withClient(proxy) { other in
                    try await Self.connected(other)
                    try await other.acknowledge(id, tenant: "acme")
                }
                #expect(try await HTTP.get("\(service.url)/v1/queries/\(id)", headers: [own]).status == 404)
            }
        }

        private static func connected(_ client: AladdinClient) async throws {
            _ = try await eventually("a session") {
                await client.isConnected
            } until: {
                $0
            }
        }

        /// Whatever is asked of the query, the answer is that there is none.
        private static func expectNothing(of id: String, from client: AladdinClient, tenant: String?) async throws {
            try await connected(client)
            let unknown = Status(.notFound, .unknownQuery, "no such query, or its result is no longer kept")
            await #expect(throws: unknown) { try await client.cancel(id, tenant: tenant) }
            await #expect(throws: unknown) { try await client.acknowledge(id, tenant: tenant) }
            await #expect(throws: unknown) { for try await _ in client.attach(to: id, tenant: tenant) {} }
        }

        @Test func `The roles apart serve each other with keys of their own`() async throws {
            let keys = try await Keys()
            let broker = ServiceProcess(["broker", "--keys", keys.path] + Endpoints().flags)
            let endpoints = try await Endpoints(of: broker)
            let scheduler = ServiceProcess(
                ["scheduler", "--key", try await keys.make("s1", "scheduler")] + endpoints.flags
            )
            let worker = ServiceProcess(["worker", "--key", try await keys.make("w1", "worker")] + endpoints.flags)
            let gateway = ServiceProcess(
                [
                    "gateway", "--http", "127.0.0.1:0", "--keys", keys.path, "--key",
                    try await keys.make("gw", "frontend", "--any-tenant"), "--admin-key",
                    try await keys.make("metrics", "admin"),
                ] + endpoints.flags
            )
            let key = try await keys.make("web", "http", "--tenant", "acme")
            let line = try await gateway.line("gateway serves")
            let url = try #require(line.split(separator: " ").first { $0.hasPrefix("address=") }).dropFirst(8)
            try await broker.line("scheduler attached")
            try await broker.line("worker joined")
            let bearer = "authorization: Bearer \(key)"
            let body = #"{"prompt": "Once", "max_tokens": 4}"#
            // The gateway reads the registry anew within a second, and learns of the worker as soon as it asks.
            let answer = try await eventually("an answer over HTTP") {
                try await HTTP.post("\(url)/v1/completions", body, headers: [bearer])
            } until: {
                $0.status == 200
            }
            let id = try #require(answer.headers["x-aladdin-query-id"])
            let admin = try await keys.make("op", "admin", "--tenant", "acme")
            let explained = try await eventually("the query to be found in its tenant's name") {
                try await Run.aladdin(["explain", id, "--json", "--key", admin] + endpoints.flags)
            } until: {
                $0.code == 0
            }
            #expect(try explained.json()["tenant"] as? String == "acme")
            #expect(try await HTTP.post("\(url)/v1/completions", body).status == 401)
            #expect(scheduler.isRunning && worker.isRunning)
        }

        @Test func `Secrets are in no log, whatever the level`() async throws {
            let keys = try await Keys()
            let alice = try await keys.make("alice", "frontend")
            let worker = try await keys.make("w1", "worker")
            let apiKey = try await keys.make("web", "http")
            let service = try await SecuredService.up(keys, "--log-level", "trace")
            var printed = ""
            let answer = try await service.query("Hi", "--max-tokens", "4", "--key", alice)
            #expect(answer.code == 0, "\(answer.errors)")
            printed += answer.errors
            printed += try await service.query("Hi", "--key", try keys.disguised(worker)).errors
            let body = #"{"prompt": "Once", "max_tokens": 4}"#
            for key in [apiKey, apiKey + "x"] {
                let response = try await HTTP.post(
                    "\(service.url)/v1/completions",
                    body,
                    headers: ["authorization: Bearer \(key)"]
                )
                #expect(response.status == (key == apiKey ? 200 : 401))
                printed += response.body
            }
            try await keys.revoke("alice")
            try await service.process.line("keys read again")
            printed += try await Run.aladdin("keys", "list", "--json", "--keys", keys.path).output
            service.process.kill(SIGTERM)
            #expect(try await service.process.exitCode() == 0)
            await service.process.readToEnd()
            printed += service.process.transcript
            #expect(printed.contains("trace"), "the log has its most talkative level")
            var secrets = [apiKey]
            for file in [alice, worker] { secrets.append(try Keys.value("secret_key", in: file)) }
            for role in ["frontend", "worker", "scheduler", "admin"] {
                secrets.append(try Keys.value("secret_key", in: "\(keys.path)/server/\(role).key"))
            }
            for secret in secrets { #expect(!printed.contains(secret)) }
            let registry = try String(contentsOfFile: "\(keys.path)/registry.json", encoding: .utf8)
            for secret in secrets { #expect(!registry.contains(secret)) }
        }
    }
}
