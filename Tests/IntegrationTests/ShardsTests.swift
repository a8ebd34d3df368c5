internal import AladdinClient
internal import Foundation
internal import Messages
internal import ServingModel
internal import Testing

extension IntegrationTests {
    /// Two shards, each a broker with a worker; the models `left` and `right` are pinned to them.
    @Suite struct Shards {
        private struct TwoShards {
            let files: TemporaryDirectory
            let flags: [String]
            private(set) var brokers: [ServiceProcess] = []
            private var others: [ServiceProcess] = []

            static let rule = ["--shard-pins", "left=l,right=r"]

            init() async throws {
                files = try TemporaryDirectory()
                flags = ["--shards", "l=ipc://\(files.path("l"));r=ipc://\(files.path("r"))"]
                for (shard, model) in [("l", "left"), ("r", "right")] {
                    try FileManager.default.createDirectory(
                        atPath: files.path(shard),
                        withIntermediateDirectories: true
                    )
                    let broker = ServiceProcess(
                        ["broker", "--shard", shard] + endpoints(shard).flags + flags + Self.rule
                    )
                    try await broker.line("broker serves")
                    brokers.append(broker)
                    others.append(ServiceProcess(["scheduler", "--shard", shard] + flags))
                    others.append(worker(model, on: shard))
                }
                for shard in ["l", "r"] {
                    try await endpoints(shard).status("its worker") { $0.workers.count == 1 && !$0.policy.isEmpty }
                }
            }

            /// Where a shard's broker listens.
            func endpoints(_ shard: String) -> Endpoints {
                var endpoints = Endpoints()
                endpoints.frontend = "ipc://\(files.path(shard))/frontend"
                endpoints.worker = "ipc://\(files.path(shard))/worker"
                endpoints.scheduler = "ipc://\(files.path(shard))/scheduler"
                endpoints.admin = "ipc://\(files.path(shard))/admin"
                return endpoints
            }

            func worker(_ model: String, on shard: String) -> ServiceProcess {
                ServiceProcess(["worker", "--shard", shard, "--model-name", model] + flags)
            }

            func gateway() async throws -> (process: ServiceProcess, url: String) {
                let process = ServiceProcess(["gateway", "--http", "127.0.0.1:0"] + flags + Self.rule)
                let line = try await process.line("gateway serves")
                let word = try #require(line.split(separator: " ").first { $0.hasPrefix("address=") })
                return (process, String(word.dropFirst("address=".count)))
            }
        }

        private static func ask(_ model: String, at url: String) async throws -> (status: Int, body: String) {
            let body = #"{"model": "\#(model)", "prompt": "Once", "max_tokens": 4}"#
            let answer = try await HTTP.post("\(url)/v1/completions", body)
            return (answer.status, answer.body)
        }

        @Test func `A gateway finds the shard of each model, and one that dies takes only its own queries with it`()
            async throws
        {
            let shards = try await TwoShards()
            let (gateway, url) = try await shards.gateway()
            _ = try await eventually("both models to be listed") {
                try await HTTP.get("\(url)/v1/models").body
            } until: {
                $0.contains("left") && $0.contains("right")
            }
            for model in ["left", "right"] { #expect(try await Self.ask(model, at: url).status == 200) }
            for shard in ["l", "r"] {
                let status = try await shards.endpoints(shard).status()
                #expect(status.models.map(\.completed) == [1], "each shard answered its own")
            }
            let metrics = try await HTTP.get("\(url)/metrics").body
            #expect(metrics.contains(#"aladdin_model_workers{shard="l",model="left"} 1"#))
            #expect(metrics.contains(#"aladdin_model_workers{shard="r",model="right"} 1"#))
            shards.brokers[0].kill(SIGKILL)
            #expect(try await Self.ask("right", at: url).status == 200)
            #expect(try await Self.ask("left", at: url).status == 503)
            #expect(try await HTTP.get("\(url)/health").status == 200)
            _ = gateway
        }

        @Test func `Commands find shards too, and brokers send away who came to the wrong one`() async throws {
            let shards = try await TwoShards()
            let flags = shards.flags + TwoShards.rule
            for model in ["left", "right"] {
                let answer = try await Run.aladdin(
                    ["query", "Once", "--complete", "--model", model, "--max-tokens", "2"] + flags
                )
                #expect(answer.code == 0, "\(answer.errors)")
            }
            let status = try await Run.aladdin(["status"] + shards.flags)
            #expect(status.output.contains("shard l") && status.output.contains("shard r"), "\(status.output)")
            // Somebody who counts by another rule.
            let query = ["query", "Once", "--complete", "--model", "left", "--max-tokens", "2"]
            let astray = try await Run.aladdin(query + shards.flags + ["--shard-pins", "left=r"])
            #expect(astray.code == 1)
            #expect(
                astray.errors.contains("the model 'left' is served by the shard l, and this is r"),
                "\(astray.errors)"
            )
            let stray = shards.worker("left", on: "r")
            try await stray.line("is served by the shard l, and this is r")
        }

        @Test func `What is wrong with shards is said in one line`() async throws {
            let shards = ["--shards", "a=127.0.0.1:1;b=127.0.0.1:5"]
            let cases: [([String], String)] = [
                (
                    ["worker"] + shards,
                    "there are several shards, so --shard has to say which is meant; it must be one of: a, b"
                ),
                (["worker", "--shard", "c"] + shards, "--shard is 'c'; it must be one of: a, b"),
                (["worker", "--shards", "a"], "--shards is 'a'; it must be NAME=HOST"),
                (
                    ["gateway", "--shard-pins", "m=c"] + shards,
                    "what stands after each = must be one of the shards: a, b"
                ),
                (["gateway", "--broker", "h"] + shards, "--broker and shards are both given"),
                (["broker"] + shards, "there are several shards, so --shard has to say"),
                (["status", "--broker", "h:0"], "--broker is 'h:0'; it must be HOST, HOST:PORT"),
            ]
            for (arguments, words) in cases {
                let outcome = try await Run.aladdin(arguments)
                #expect(
                    outcome.code == 2 && outcome.errors.contains(words),
                    "\(arguments): \(outcome.code) \(outcome.errors)"
                )
            }
        }
    }
}
