internal import CCurl
internal import Glibc
internal import Synchronization

/// HTTP/1.1 requests over libcurl, any number at a time, on one thread of its own.
///
/// Lifecycle: `init` makes nothing run; `start()` starts the thread; `stop()` ends every request that is under way and
/// joins the thread. Connections are kept and used again. All methods may be called from any thread.
package final class HTTPClient: Sendable {
    package typealias Handler = @Sendable (HTTPEvent) -> HTTPInterest

    enum Command {
        case begin(HTTPTransfer.ID, HTTPRequest, Handler)
        case cancel(HTTPTransfer.ID)
    }

    private struct State {
        var commands: [Command] = []
        var lastID: HTTPTransfer.ID = 0
        var thread: pthread_t?
        var isStopped = false
        /// While the thread lives.
        var loop: WakeableLoop?
    }

    /// The one thing of a loop that other threads may touch.
    private struct WakeableLoop: @unchecked Sendable {
        let multi: UnsafeMutableRawPointer

        func wake() { curl_multi_wakeup(multi) }
    }

    private let state = Mutex(State())

    package init() {}

    deinit {
        precondition(state.withLock { $0.thread == nil }, "an HTTP client is stopped before it goes")
    }

    /// Starts the thread; once.
    package func start() {
        _ = Self.isLibraryReady
        guard let multi = curl_multi_init() else { preconditionFailure("no memory for libcurl") }
        state.withLock { state in
            precondition(state.thread == nil && !state.isStopped, "an HTTP client is started once")
            state.loop = WakeableLoop(multi: multi)
            var thread = pthread_t()
            let start = Unmanaged.passRetained(ThreadStart(client: self, multi: multi)).toOpaque()
            let code = pthread_create(&thread, nil, transferThread, start)
            precondition(code == 0, "cannot start the thread of an HTTP client: \(code)")
            state.thread = thread
        }
    }

    /// Sends a request; the handler hears of its answer on the client's thread and must not block there.
    package func send(_ request: HTTPRequest, _ handle: @escaping Handler) -> HTTPTransfer {
        let id = state.withLock { state -> HTTPTransfer.ID? in
            guard !state.isStopped else { return nil }
            state.lastID += 1
            state.commands.append(.begin(state.lastID, request, handle))
            state.loop?.wake()
            return state.lastID
        }
        guard let id else {
            _ = handle(.ended(TransferFailure(.cancelled, "the client has been stopped")))
            return HTTPTransfer(id: 0, client: self)
        }
        return HTTPTransfer(id: id, client: self)
    }

    /// Ends all requests and the thread; returns when it is gone.
    ///
    /// Blocks for as long as a handler runs: not for the cooperative pool's threads but at the end of everything.
    package func stop() {
        let thread = state.withLock { state in
            state.isStopped = true
            state.loop?.wake()
            return state.thread.take()
        }
        if let thread { pthread_join(thread, nil) }
    }

    func cancel(_ id: HTTPTransfer.ID) {
        state.withLock { state in
            guard state.loop != nil else { return }
            state.commands.append(.cancel(id))
            state.loop?.wake()
        }
    }

    /// For the thread: what it is to do, and whether that is the last; it is woken no more then.
    func takeCommands() -> (commands: [Command], areLast: Bool) {
        state.withLock { state in
            defer { state.commands.removeAll() }
            if state.isStopped { state.loop = nil }
            return (state.commands, state.isStopped)
        }
    }

    private static let isLibraryReady: Bool = {
        let code = curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        precondition(code == CURLE_OK, "libcurl cannot be used: \(code.rawValue)")
        return true
    }()
}

/// A request under way.
package struct HTTPTransfer: Sendable {
    typealias ID = UInt64

    let id: ID
    let client: HTTPClient

    /// Closes its connection; `ended` comes all the same.
    package func cancel() {
        client.cancel(id)
    }
}

private final class ThreadStart {
    let client: HTTPClient
    let multi: UnsafeMutableRawPointer

    init(client: HTTPClient, multi: UnsafeMutableRawPointer) {
        self.client = client
        self.multi = multi
    }
}

private nonisolated func transferThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    aladdin_name_thread("http-client")
    let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    TransferLoop(multi: start.multi).run(for: start.client)
    return nil
}
