import Glibc
import ServingModel
import Testing
import ZeroMQ

@Suite("Set-up is refused in plain words, and contexts end", .timeLimit(.minutes(2)))
struct ContextTests {
    @Test("binding an address in use says so and names it", arguments: ["tcp", "ipc"])
    func addressInUse(transport: String) throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let first = try Socket(.router, options: .broker)
        let second = try Socket(.router, options: .broker)
        defer {
            first.close()
            second.close()
        }
        let endpoint = try first.bind(
            transport == "tcp" ? "tcp://127.0.0.1:*" : "ipc://\(directory.path)/broker"
        )
        let error = #expect(throws: ZeroMQError.self) { try second.bind(endpoint) }
        #expect(error?.message == "address already in use: \(endpoint) (is another broker running?)")
        #expect(error?.operation == "bind" && error?.endpoint == endpoint && error?.code == EADDRINUSE)

        // The first one was not harmed.
        let dealer = try Socket(.dealer, options: .peer)
        defer { dealer.close() }
        try dealer.connect(endpoint)
        dealer.sendWaiting([[1]])
        #expect(try first.next().frames == [[1]])
    }

    @Test("a socket file left by a dead process does not keep a broker from binding")
    func leftoverSocketFile() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let endpoint = "ipc://\(directory.path)/broker"
        directory.leaveSocketFile(named: "broker")
        let router = try Socket(.router, options: .broker)
        defer { router.close() }
        #expect(try router.bind(endpoint) == endpoint)
    }

    @Test("a file in the way of a socket is not deleted")
    func fileInTheWay() throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        directory.makeFile(named: "broker")
        let router = try Socket(.router, options: .broker)
        defer { router.close() }
        let error = #expect(throws: ZeroMQError.self) { try router.bind("ipc://\(directory.path)/broker") }
        #expect(error?.message.contains("in the way") == true)
        #expect(directory.hasOrdinaryFile(named: "broker"))
    }

    @Test(
        "what is no endpoint is refused with what one looks like",
        arguments: [
            "", "garbage", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "tcp://127.0.0.1:80x",
            "tcp://127.0.0.1:-1", "tcp://:", "ipc://", "tcp:/1:2",
        ]
    )
    func garbageEndpoints(endpoint: String) throws {
        let socket = try Socket(.router, options: .broker)
        defer { socket.close() }
        let error = #expect(throws: ZeroMQError.self) { try socket.bind(endpoint) }
        let expected = "not a valid endpoint: \(endpoint) (expected tcp://host:port or ipc:///path/to/socket)"
        #expect(error?.message == expected)
    }

    @Test(
        "other refusals name their cause",
        arguments: [
            ("smoke://signals", "unknown transport"),
            ("tcp://192.0.2.1:5550", "does not belong to this machine"),
            ("ipc:///no/such/place/broker", "no such directory"),
            ("ipc:///tmp/" + String(repeating: "x", count: 200), "path too long"),
        ]
    )
    func otherRefusals(endpoint: String, cause: String) throws {
        let socket = try Socket(.router, options: .broker)
        defer { socket.close() }
        let error = #expect(throws: ZeroMQError.self) { try socket.bind(endpoint) }
        #expect(error?.message.contains(cause) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains(endpoint) == true)
    }

    @Test(
        "connecting to what is no endpoint is refused",
        arguments: ["nonsense", "tcp://127.0.0.1:65536", "tcp://a:b"]
    )
    func garbageConnect(endpoint: String) throws {
        let socket = try Socket(.dealer, options: .peer)
        defer { socket.close() }
        let error = #expect(throws: ZeroMQError.self) { try socket.connect(endpoint) }
        #expect(error?.operation == "connect" && error?.endpoint == endpoint)
    }

    @Test("an option out of range is refused by name")
    func refusedOption() {
        var options = SocketOptions.peer
        options.sendHighWaterMark = -1
        let error = #expect(throws: ZeroMQError.self) { try Socket(.dealer, options: options) }
        #expect(error?.message.contains("sendHighWaterMark") == true)
    }

    @Test("with linger zero, undelivered messages do not hold up the end")
    func undeliveredMessages() throws {
        let context = Context()
        var options = SocketOptions.broker
        options.immediate = false
        let dealer = try Socket(.dealer, options: options, context: context)
        // Nobody listens there: the port is taken, not listening.
        let reserved = try ReservedPort()
        try dealer.connect("tcp://127.0.0.1:\(reserved.port)")
        for _ in 0..<100 { #expect(dealer.send([[1], [UInt8](repeating: 2, count: 1_000)], to: nil) == .sent) }
        dealer.close()
        context.terminate()
    }

    @Test("with linger, what was sent before the close arrives")
    func lingeringMessages() throws {
        let context = Context()
        let router = try Socket(.router, options: .broker)
        defer { router.close() }
        let dealer = try Socket(.dealer, options: .lingering, context: context)
        try dealer.connect(router.bind("tcp://127.0.0.1:*"))
        for _ in 0..<100 { dealer.sendWaiting([[1], [UInt8](repeating: 2, count: 1_000)]) }
        dealer.close()
        for _ in 0..<100 { #expect(try router.next().frames.count == 2) }
        context.terminate()
    }

    @Test("after the end, sockets are refused and ending again does nothing")
    func terminated() throws {
        let context = Context()
        context.setIOThreads(2)
        let link = try Link(context: context)
        link.close()
        link.close()
        #expect(link.router.isClosed)
        context.terminate()
        context.terminate()
        let error = #expect(throws: ZeroMQError.self) { try Socket(.dealer, options: .peer, context: context) }
        #expect(error?.message.contains("context has ended") == true)
    }

    @Test("letting go of a socket closes it")
    func droppedSocket() throws {
        let context = Context()
        var socket: Socket? = try Socket(.router, options: .broker, context: context)
        #expect(socket?.isClosed == false)
        socket = nil
        context.terminate()
    }

    @Test("thousands of sockets may be open")
    func manySockets() throws {
        let context = Context()
        // More than libzmq's own limit; each takes a file descriptor.
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        try withKnownIssue("the limit on open files is too low here", isIntermittent: true) {
            try #require(limit.rlim_cur > 4_000)
            let sockets = try (0..<1_200).map { _ in try Socket(.dealer, options: .peer, context: context) }
            for socket in sockets { socket.close() }
        } when: {
            limit.rlim_cur <= 4_000
        }
        context.terminate()
    }

    @Test("using a socket on another thread stops the process")
    func otherThread() async {
        let receiving = await #expect(processExitsWith: .failure) {
            let link = try Link()
            nonisolated(unsafe) let socket = link.router
            try await onOtherThread { _ = socket.receive() }
        }
        #expect(receiving?.isTrap == true)
        let sending = await #expect(processExitsWith: .failure) {
            let link = try Link()
            nonisolated(unsafe) let socket = link.dealer
            try await onOtherThread { _ = socket.send([[1]], to: nil) }
        }
        #expect(sending?.isTrap == true)
        let closing = await #expect(processExitsWith: .failure) {
            let link = try Link()
            nonisolated(unsafe) let socket = link.dealer
            try await onOtherThread { socket.close() }
        }
        #expect(closing?.isTrap == true)
    }

    @Test("using a socket on another thread is what stops it: on its own it goes on")
    func ownThread() async {
        await #expect(processExitsWith: .success) {
            let link = try Link()
            _ = link.router.receive()
            link.close()
        }
    }

    @Test("using a closed socket stops the process")
    func closedSocket() async {
        let result = await #expect(processExitsWith: .failure) {
            let socket = try Socket(.dealer, options: .peer)
            socket.close()
            _ = socket.receive()
        }
        #expect(result?.isTrap == true)
    }
}

extension SocketOptions {
    fileprivate static var lingering: SocketOptions {
        var options = SocketOptions.peer
        options.linger = bound
        return options
    }
}
