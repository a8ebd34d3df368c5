internal import Logging
internal import Messages
internal import ServingModel
internal import ZeroMQ

/// Connections that are not sessions yet.
extension PeerConnection {
    func greet(_ address: String) throws(ZeroMQError) {
        guard let loop else { return }
        var options = SocketOptions.peer
        if let keys { options.security = .client(keys) }
        if addresses.count > 1 {
            // Most of the time all but one don't listen; the next one to lead is to be found soon.
            options.reconnectIntervalMaximum = .milliseconds(400)
            options.connectTimeout = .seconds(2)
        }
        let socket = try Socket(.dealer, options: options)
        try socket.connect(address)
        greetings.append(Greeting(address: address, socket: socket))
        loop.watch(socket) { [unowned self] in receive(from: socket) }
    }

    /// A socket that takes nothing yet may have to be tried several times.
    ///
    /// - Returns: whether everybody was told.
    @discardableResult
    func sayHello() -> Bool {
        let body = hello.encode()
        let header = FrameHeader(kind: .hello, session: 0, bodyLength: body.count).encode()
        for index in greetings.indices where !greetings[index].isSent {
            if case .sent = greetings[index].socket.send([header, body], to: nil) { greetings[index].isSent = true }
        }
        return greetings.allSatisfy(\.isSent)
    }

    /// Greets the other brokers while the one of the session is silent: whoever answers leads now.
    ///
    /// One that is merely slow loses nothing by it, as nobody else answers then.
    ///
    /// - Returns: when to look again.
    func lookAround(from place: String, at now: Instant, since heard: Instant, _ interval: Interval) -> Instant {
        guard addresses.count > 1 else { return .distantFuture }
        let patience = interval + Interval(nanoseconds: interval.nanoseconds / 4)
        guard now >= heard + patience else {
            dismissAll()
            return heard + patience
        }
        if greetings.isEmpty || now >= greetAgain {
            dismissAll()
            greetAgain = now + .seconds(5)
            for address in addresses where address != place {
                do throws(ZeroMQError) {
                    try greet(address)
                } catch {
                    logger.error("cannot connect", metadata: ["address": "\(address)", "error": "\(error)"])
                }
            }
        }
        return sayHello() ? greetAgain : now + .milliseconds(10)
    }

    func dismiss(_ socket: Socket) {
        greetings.removeAll { $0.socket === socket }
        close(socket)
    }

    private func dismissAll() {
        for greeting in greetings { close(greeting.socket) }
        greetings = []
    }

    func close(_ socket: Socket) {
        loop?.unwatch(socket)
        socket.close()
    }
}
