internal import CZeroMQ
internal import Glibc
internal import Synchronization

/// Answers libzmq's question who a peer is that connects to a secured socket, and whether it may come in.
///
/// It is the process's one ZAP handler (ZeroMQ's RFC 27), a thread of its own. `start()` returns once the thread has
/// refused a key that nobody has. Should the thread end before `stop()`, the process ends, with a word on standard
/// error: sockets would let nobody in any more, but a service that nobody can reach is better restarted.
///
/// All members may be called from any thread.
package final class ZAPHandler: Sendable {
    /// One peer at the door.
    package struct Question: Hashable, Sendable {
        /// The domain of the socket it knocks at.
        package var domain: String
        /// The key that it has proven to own.
        package var key: CurveKey
        /// Where it comes from, as far as libzmq knows.
        package var address: String
    }

    /// The name of the peer, or nil to refuse it; called on the handler's thread, so it must be short.
    package typealias Verdict = @Sendable (Question) -> String?

    static let endpoint = "inproc://zeromq.zap.01"

    private let context: Context
    private let verdict: Verdict
    private let wakeUp = WakeUp()
    private let state = Mutex(State())

    private struct State {
        var thread: pthread_t?
        var isStopping = false
    }

    package init(context: Context = .shared, verdict: @escaping Verdict) {
        self.context = context
        self.verdict = verdict
    }

    /// Starts the thread and sees it refuse a key.
    ///
    /// - Throws: `ZeroMQError` if the context has a handler already or has ended; `SecurityFailure` if the thread does
    ///   not answer, or lets a stranger in.
    package func start() throws {
        let socket = try context.makeSocket(ZMQ_REP)
        guard zmq_bind(socket, Self.endpoint) == 0 else {
            let error = ZeroMQError.last("bind", endpoint: Self.endpoint)
            zmq_close(socket)
            throw error
        }
        let entry = Unmanaged.passRetained(Entry(handler: self, socket: socket))
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, zapThread, entry.toOpaque())
        precondition(code == 0, "cannot start the thread that checks keys: \(code)")
        state.withLock { $0.thread = thread }
        do {
            try ZAPSelfTest.run(in: context)
        } catch {
            stop()
            throw error
        }
    }

    /// Ends the thread; from now on secured sockets let nobody in.
    package func stop() {
        let thread = state.withLock { state in
            state.isStopping = true
            return state.thread.take()
        }
        guard let thread else { return }
        wakeUp.signal()
        pthread_join(thread, nil)
    }

    /// What the thread is given; the socket passes to it for good.
    fileprivate final class Entry {
        let handler: ZAPHandler
        let socket: UnsafeMutableRawPointer

        init(handler: ZAPHandler, socket: UnsafeMutableRawPointer) {
            self.handler = handler
            self.socket = socket
        }
    }

    fileprivate func serve(_ socket: UnsafeMutableRawPointer) {
        let failure = answerQuestions(on: socket)
        guard !state.withLock({ $0.isStopping }) else {
            // Closing alone frees the address a little later, on another thread.
            zmq_unbind(socket, Self.endpoint)
            zmq_close(socket)
            return
        }
        let reason = String(cString: zmq_strerror(failure))
        let text = "aladdin: the thread that checks keys has ended (\(reason)); without it nobody gets in, so I stop\n"
        _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        _exit(1)
    }

    /// Runs until `stop()`, or until libzmq refuses: with which error number.
    private func answerQuestions(on socket: UnsafeMutableRawPointer) -> Int32 {
        while true {
            var items = [
                zmq_pollitem_t(socket: socket, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0),
                zmq_pollitem_t(socket: nil, fd: wakeUp.descriptor, events: Int16(ZMQ_POLLIN), revents: 0),
            ]
            guard zmq_poll(&items, 2, -1) >= 0 else {
                if zmq_errno() == EINTR { continue }
                return zmq_errno()
            }
            if state.withLock({ $0.isStopping }) { return 0 }
            guard items[0].revents != 0 else { continue }
            guard let request = ZAPFrames.receive(from: socket) else {
                if [EINTR, EAGAIN].contains(zmq_errno()) { continue }
                return zmq_errno()
            }
            guard ZAPFrames.send(reply(to: request), on: socket) else { return zmq_errno() }
        }
    }

    /// version, request id, status code, status text, user id, metadata.
    private func reply(to request: [[UInt8]]) -> [[UInt8]] {
        let number = request.count > 1 ? request[1] : []
        func reply(_ code: String, _ text: String, _ user: String = "") -> [[UInt8]] {
            [Array("1.0".utf8), number, Array(code.utf8), Array(text.utf8), Array(user.utf8), []]
        }
        guard let question = Question(request) else { return reply("500", "not understood") }
        guard let user = verdict(question), !user.isEmpty else { return reply("400", "refused") }
        return reply("200", "OK", user)
    }
}

extension ZAPHandler.Question {
    /// version, request id, domain, address, identity, mechanism, credentials.
    init?(_ request: [[UInt8]]) {
        guard request.count == 7, request[0] == Array("1.0".utf8), request[5] == Array("CURVE".utf8),
            let domain = String(validating: request[2], as: UTF8.self),
            let address = String(validating: request[3], as: UTF8.self), let key = CurveKey(bytes: request[6])
        else { return nil }
        self.init(domain: domain, key: key, address: address)
    }
}

private nonisolated func zapThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let entry = Unmanaged<ZAPHandler.Entry>.fromOpaque(argument).takeRetainedValue()
    pthread_setname_np(pthread_self(), "zap")
    entry.handler.serve(entry.socket)
    return nil
}
