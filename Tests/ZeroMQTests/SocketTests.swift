import ServingModel
import Testing
import ZeroMQ

@Suite("Sockets carry messages whole")
struct SocketTests {
    @Test("messages of every length around 33 bytes, kept inside libzmq's struct, survive the next receive")
    func shortMessages() throws {
        let link = try Link()
        defer { link.close() }
        let messages = (0...100).map { length in [[UInt8](repeating: UInt8(length), count: length), [1]] }
        for message in messages { link.dealer.sendWaiting(message) }
        let received = try messages.map { _ in try link.router.next() }
        #expect(received.map(\.frames) == messages)
        #expect(received.allSatisfy { $0.from == link.peer && $0.excessFrames == 0 && $0.excessBytes == 0 })
    }

    @Test(
        "frames without content arrive as such, both ways",
        arguments: [[[]], [[], []], [[1], []], [[], [1]]] as [[[UInt8]]]
    )
    func emptyFrames(frames: [[UInt8]]) throws {
        let link = try Link()
        defer { link.close() }
        link.dealer.sendWaiting(frames)
        #expect(try link.router.next().frames == frames)
        link.router.sendWaiting(frames, to: link.peer)
        let answer = try link.dealer.next()
        #expect(answer.frames == frames)
        #expect(answer.from == nil)
    }

    @Test("header and body sent as two buffers arrive as two frames", arguments: [0, 1, 33, 34, 100_000])
    func headerAndBody(bodyBytes: Int) throws {
        let link = try Link()
        defer { link.close() }
        let header = [UInt8](0..<48)
        let body = [UInt8](repeating: 7, count: bodyBytes)
        let isSent = becomesTrue {
            header.withUnsafeBytes { link.router.send(header: $0, body: body, to: link.peer) } == .sent
        }
        #expect(isSent)
        #expect(try link.dealer.next().frames == [header, body])
        let isAnswered = becomesTrue {
            header.withUnsafeBytes { link.dealer.send(header: $0, body: body, to: nil) } == .sent
        }
        #expect(isAnswered)
        #expect(try link.router.next().frames == [header, body])
    }

    @Test("frames up to the largest allowed size pass")
    func largestFrame() throws {
        let link = try Link()
        defer { link.close() }
        let body = [UInt8](numbered: 42, count: SocketOptions.broker.maximumFrameBytes)
        link.dealer.sendWaiting([[1], body])
        #expect(try link.router.next().frames.last == body)
        let answer = [UInt8](numbered: 43, count: SocketOptions.peer.maximumFrameBytes)
        link.router.sendWaiting([[1], answer], to: link.peer)
        #expect(try link.dealer.next().frames.last == answer)
    }

    @Test("receive returns nil when nothing is there, and polling says so too")
    func nothingToReceive() throws {
        let link = try Link()
        defer { link.close() }
        #expect(link.router.receive() == nil)
        #expect(link.dealer.receive() == nil)
        #expect(!link.dealer.waitUntilReadable(atMost: .zero))
    }

    @Test("a message sent before the connection is up is refused whole, and the next arrives whole")
    func refusedBeforeConnection() throws {
        let dealer = try Socket(.dealer, options: .peer)
        let router = try Socket(.router, options: .broker)
        defer {
            dealer.close()
            router.close()
        }
        #expect(dealer.send([[1], [2]], to: nil) == .wouldBlock)
        let refused = [UInt8]([9]).withUnsafeBytes { dealer.send(header: $0, body: [9], to: nil) }
        #expect(refused == .wouldBlock)
        try dealer.connect(router.bind("tcp://127.0.0.1:*"))
        dealer.sendWaiting([[3], [4]])
        #expect(try router.next().frames == [[3], [4]])
        #expect(router.receive() == nil)
    }

    @Test("a queue that empties between two frames of a refused message leaves no half", arguments: [true, false])
    func refusedWhileEmptying(asFrames: Bool) async throws {
        let count = 300
        // The sender never rests, which leaves a small machine little for the others.
        let limit = bound + bound + bound
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let endpoint = "ipc://\(directory.path)/broker"
        let received = OtherThread {
            let router = try Socket(.router, options: .narrow)
            defer { router.close() }
            try router.bind(endpoint)
            return try (0..<count).map { _ in try router.next(within: limit).frames }
        }
        let dealer = try Socket(.dealer, options: .narrow)
        defer { withExtendedLifetime(dealer) {} }
        try dealer.connect(endpoint)
        let end = PollLoop.now() + limit
        for number in 0..<count {
            let frame = numbered(number)
            // Without a pause, so as to try in the moment when the queue empties.
            while PollLoop.now() < end {
                let outcome =
                    asFrames
                    ? dealer.send([frame, frame], to: nil)
                    : frame.withUnsafeBytes { dealer.send(header: $0, body: frame, to: nil) }
                if outcome == .sent { break }
            }
        }
        #expect(try await received.value == (0..<count).map { [numbered($0), numbered($0)] })
    }

    @Test("messages cut off by a breaking connection never arrive in part")
    func breakingConnections() throws {
        let dealer = try Socket(.dealer, options: fastReconnect)
        defer { dealer.close() }
        var router = try Socket(.router, options: .broker)
        let endpoint = try router.bind(ownAddress())
        try dealer.connect(endpoint)
        var number = 0
        for _ in 0..<10 {
            var received = 0
            let isReached = becomesTrue {
                while dealer.send([numbered(number), numbered(number), numbered(number)], to: nil) == .sent {
                    number += 1
                }
                while let message = router.receive() {
                    #expect(message.frames.count == 2 && message.excessFrames == 1)
                    #expect(message.frames[0] == message.frames[1] && message.frames[0].number != nil)
                    received += 1
                }
                return received > 200
            }
            #expect(isReached)
            router.close()
            router = try Socket(.router, options: .broker)
            // libzmq closes the old listener in the background.
            #expect(becomesTrue { (try? router.bind(endpoint)) != nil })
        }
        router.close()
    }

    @Test("without immediate, what arrived before the peer left can still be read")
    func unreadMessages() throws {
        let context = Context()
        var options = SocketOptions.peer
        options.immediate = false
        let router = try Socket(.router, options: .patientBroker, context: context)
        let dealer = try Socket(.dealer, options: options)
        defer { dealer.close() }
        try dealer.connect(router.bind("tcp://127.0.0.1:*"))
        dealer.sendWaiting([[1]])
        let peer = try #require(try router.next().from)
        for number in 0..<100 { router.sendWaiting([[UInt8(number)]], to: peer) }
        router.close()
        // Ends when all has been sent and the connection is closed.
        context.terminate()
        for number in 0..<100 { #expect(try dealer.next().frames == [[UInt8(number)]]) }
    }

    @Test("two sockets in one process can talk without a network")
    func inProcess() throws {
        let first = try Socket(.pair, options: .peer)
        let second = try Socket(.pair, options: .peer)
        defer {
            first.close()
            second.close()
        }
        try first.bind("inproc://socket-tests")
        try second.connect("inproc://socket-tests")
        first.sendWaiting([[1], [2]])
        #expect(try second.next().frames == [[1], [2]])
    }

    private func numbered(_ number: Int) -> [UInt8] {
        [UInt8](numbered: number, count: 200)
    }

    private var fastReconnect: SocketOptions {
        var options = SocketOptions.peer
        options.reconnectInterval = .milliseconds(1)
        options.linger = .zero
        return options
    }
}

extension SocketOptions {
    /// Queues that are full nearly always.
    fileprivate static var narrow: SocketOptions {
        var options = SocketOptions.peer
        options.sendHighWaterMark = 1
        options.receiveHighWaterMark = 1
        options.reconnectInterval = .milliseconds(1)
        return options
    }

    fileprivate static var patientBroker: SocketOptions {
        var options = SocketOptions.broker
        options.linger = bound
        return options
    }
}
