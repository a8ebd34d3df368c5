internal import AladdinClient
internal import Foundation
internal import Messages
internal import PostgreSQLServer
internal import ServingModel
internal import Synchronization
internal import Testing

extension IntegrationTests {
    @Suite struct TwoBrokers {
        /// Where one of the brokers listens.
        private static func endpoints(_ name: String, in files: TemporaryDirectory) -> Endpoints {
            var endpoints = Endpoints()
            endpoints.frontend = "ipc://\(files.path("\(name)-f"))"
            endpoints.worker = "ipc://\(files.path("\(name)-w"))"
            endpoints.scheduler = "ipc://\(files.path("\(name)-s"))"
            endpoints.admin = "ipc://\(files.path("\(name)-a"))"
            return endpoints
        }

        /// Both, as peers know them.
        private static func both(_ first: Endpoints, _ second: Endpoints) -> Endpoints {
            var endpoints = Endpoints()
            endpoints.frontend = "\(first.frontend),\(second.frontend)"
            endpoints.worker = "\(first.worker),\(second.worker)"
            endpoints.scheduler = "\(first.scheduler),\(second.scheduler)"
            endpoints.admin = "\(first.admin),\(second.admin)"
            return endpoints
        }

        @Test(arguments: [SIGKILL, SIGSTOP])
        func `Another broker takes over when the leader is killed or stopped, and answers go on`(
            signal: Int32
        ) async throws {
            let files = try TemporaryDirectory()
            let (one, two) = (Self.endpoints("one", in: files), Self.endpoints("two", in: files))
            let journal = ["--journal", PostgreSQLServer.shared.address(), "--leader-lease-s", "2"]
            let leader = ServiceProcess(["broker"] + one.flags + journal)
            try await leader.line("broker serves")
            let standby = ServiceProcess(["broker"] + two.flags + journal)
            try await standby.line("standing by")
            let peers = Self.both(one, two)
            let engine = ["--engine", "emulated", "--profile", try files.profile(stepMilliseconds: 4)]
            let fleet =
                ["a", "b"].map { ServiceProcess(["worker", "--name", $0] + peers.flags + engine) }
                + [ServiceProcess(["scheduler"] + peers.flags)]
            try await peers.status("two workers and a policy") { $0.workers.count == 2 && !$0.policy.isEmpty }
            let requests = (0..<8).map { number in
                QueryRequest(
                    input: .text("Number \(number)"),
                    maxTokens: 500,
                    sampling: Sampling(seed: UInt64(number)),
                    metadata: [("x-aladdin-durability", number.isMultiple(of: 2) ? "accept" : "stream")]
                )
            }
            let begun = Mutex<Set<Int>>([])
            async let answers = Failover.answers(peers, requests) { query, tokens in
                let isTime = begun.withLock { begun in
                    tokens >= 80 && begun.insert(query).inserted && begun.count == requests.count
                }
                if isTime { leader.kill(signal) }
            }
            try await standby.line("broker serves")
            if signal == SIGSTOP {
                // It wakes up, finds its lease over and does no harm.
                leader.kill(SIGCONT)
                try await leader.line("the broker steps down")
                try await leader.line("standing by")
            }
            for (answer, number) in zip(try await answers, 0...) {
                #expect(answer.failure == nil)
                #expect(answer.gaps == 0 && answer.repeats == 0)
                #expect(answer.count == 500 && answer.outputTokens == 500, "query \(number)")
            }
            try await two.status("both workers") { $0.workers.count == 2 }
            _ = fleet
        }

        @Test func `A broker that is asked to stop gives the lead up at once`() async throws {
            let files = try TemporaryDirectory()
            let (one, two) = (Self.endpoints("one", in: files), Self.endpoints("two", in: files))
            // Nobody would notice otherwise within the time that a test may take.
            let journal = ["--journal", PostgreSQLServer.shared.address(), "--leader-lease-s", "3600"]
            let leader = ServiceProcess(["broker"] + one.flags + journal)
            try await leader.line("broker serves")
            let standby = ServiceProcess(["broker"] + two.flags + journal)
            try await standby.line("standing by")
            leader.kill(SIGTERM)
            #expect(try await leader.exitCode() == 0)
            try await standby.line("broker serves")
            standby.kill(SIGTERM)
            #expect(try await standby.exitCode() == 0)
            let third = ServiceProcess(["broker"] + one.flags + journal)
            try await third.line("broker serves")
            let fourth = ServiceProcess(["broker"] + two.flags + journal)
            try await fourth.line("standing by")
            fourth.kill(SIGTERM)
            #expect(try await fourth.exitCode() == 0)
            #expect(third.isRunning)
        }

        @Test func `A broker waits for a database that is not there yet, and ends for one that will not have it`()
            async throws
        {
            let early = ServiceProcess(["broker", "--journal", "postgres://me@127.0.0.1:1/x"] + Endpoints().flags)
            let why = try await early.line("standing by")
            #expect(why.contains("is the server running, and does it listen there?"))
            early.kill(SIGTERM)
            #expect(try await early.exitCode() == 0)
            let address = PostgreSQLServer.shared.address().replacing("/journals", with: "/nothing")
            let refused = try await Run.aladdin(["broker", "--journal", address] + Endpoints().flags)
            #expect(refused.code == 1)
            #expect(refused.errors.contains("make it with createdb"), "\(refused.errors)")
        }

        @Test func `Lists of endpoints are for peers, not for a broker`() async throws {
            let list = ["--frontend-endpoint", "tcp://127.0.0.1:5550,tcp://127.0.0.1:5560"]
            let refused = try await Run.aladdin(["broker"] + list)
            #expect(refused.code == 2)
            #expect(refused.errors.contains("a broker listens in one place"))
            let hosts = try await Run.aladdin(["broker", "--broker", "a,b"])
            #expect(hosts.code == 2 && hosts.errors.contains("Unknown option '--broker'"), "\(hosts.errors)")
        }
    }
}
