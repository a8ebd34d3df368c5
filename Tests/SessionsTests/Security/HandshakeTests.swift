import AccessControl
import ServingModel
import Sessions
import Testing
import ZeroMQ

extension SecurityTests {
    @Suite struct Handshakes {
        private func bind(_ security: EndpointSecurity) throws -> (socket: Socket, address: String) {
            var options = SocketOptions.broker
            options.security = .server(security.keys.secretKey, domain: security.role.rawValue)
            let socket = try Socket(.router, options: options)
            return (socket, try socket.bind("tcp://127.0.0.1:*"))
        }

        private func outcome(_ address: String, _ keys: PeerKeys) throws -> HandshakeProbe.Outcome {
            try HandshakeProbe.outcome(at: address, with: keys, patience: .seconds(30))
        }

        @Test func `A key gets in at the endpoint of its role, and nowhere else`() throws {
            let guarded = try Guarded(.frontend)
            defer { guarded.checker.stop() }
            let (socket, address) = try bind(guarded.endpoint)
            defer { socket.close() }
            let people = Role.endpoints.map { (name: "a-\($0)", role: $0, keys: guarded.peer()) }
            try guarded.register(people)
            for person in people {
                #expect(try outcome(address, person.keys) == (person.role == .frontend ? .accepted : .refused))
            }
        }

        @Test func `A key that is not known or was revoked does not get in`() throws {
            let guarded = try Guarded()
            defer { guarded.checker.stop() }
            let (socket, address) = try bind(guarded.endpoint)
            defer { socket.close() }
            let keys = guarded.peer()
            #expect(try outcome(address, keys) == .refused)
            try guarded.register([("alice", .frontend, keys)])
            #expect(try outcome(address, keys) == .accepted)
            try guarded.register([("alice", .frontend, keys)], revoked: ["alice"])
            #expect(try outcome(address, keys) == .refused)
        }

        @Test func `Who expects another broker's key does not get through to this one`() throws {
            let guarded = try Guarded()
            defer { guarded.checker.stop() }
            let (socket, address) = try bind(guarded.endpoint)
            defer { socket.close() }
            var keys = guarded.peer()
            try guarded.register([("alice", .frontend, keys)])
            keys.server = CurveKeyPair().publicKey
            #expect(try outcome(address, keys) == .failed)
        }

        @Test func `Without the thread that checks keys even a good key does not get in`() throws {
            let guarded = try Guarded()
            let (socket, address) = try bind(guarded.endpoint)
            defer { socket.close() }
            let keys = guarded.peer()
            try guarded.register([("alice", .frontend, keys)])
            #expect(try outcome(address, keys) == .accepted)
            guarded.checker.stop()
            let without = try HandshakeProbe.outcome(at: address, with: keys, patience: .seconds(1))
            #expect(without != .accepted)
            // Nor at a socket that was made when there was none.
            let (late, lateAddress) = try bind(guarded.endpoint)
            defer { late.close() }
            let never = try HandshakeProbe.outcome(at: lateAddress, with: keys, patience: .seconds(1))
            #expect(never != .accepted)
        }

        @Test func `A checker that lets a stranger in does not start`() throws {
            let careless = ZAPHandler { _ in "anybody" }
            #expect(throws: SecurityFailure.self) { try careless.start() }
            // It has left, so that a better one finds its place free.
            let guarded = try Guarded()
            guarded.checker.stop()
        }

        @Test func `When one checker has stopped the next can start`() throws {
            for _ in 0..<50 { try Guarded().checker.stop() }
        }

        @Test func `There is one checker at a time`() throws {
            let guarded = try Guarded()
            defer { guarded.checker.stop() }
            #expect(throws: ZeroMQError.self) { try ZAPHandler { _ in nil }.start() }
        }

        @Test func `A process whose checker ends on its own ends, too`() async {
            await #expect(processExitsWith: .exitCode(1)) {
                let context = Context()
                let checker = ZAPHandler(context: context) { _ in nil }
                try checker.start()
                // Returns when the checker's socket is closed, and then the process would end in good order.
                context.terminate()
                checker.stop()
            }
        }
    }
}
