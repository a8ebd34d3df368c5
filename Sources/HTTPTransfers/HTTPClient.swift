internal import CCurl
internal import Synchronization
package import ZeroMQ

/// HTTP/1.1 requests over libcurl, any number at a time, on one poll loop.
///
/// Lifecycle: `init` makes nothing run; `start()` starts the loop; `stop()` ends every request that is under way, and the
/// loop. Connections are kept and used again. All methods may be called from any thread.
package final class HTTPClient: Sendable {
    package typealias Handler = @Sendable (HTTPEvent) -> HTTPInterest

    private let loop: PollLoop
    private let transfers: TransferLoop
    private let lastID = Atomic<HTTPTransfer.ID>(0)
    private let isRunning = Atomic(false)

    /// - Parameter thread: shared with others that have as little to compute. A connection over TLS begins with some
    ///   milliseconds of arithmetic, which a thread of its own is for; nil makes one.
    package init(on thread: LoopThread? = nil) {
        _ = Self.isLibraryReady
        loop = PollLoop(name: "http-client", on: thread)
        transfers = TransferLoop()
    }

    deinit {
        precondition(!isRunning.load(ordering: .relaxed), "an HTTP client is stopped before it goes")
    }

    /// Starts the loop; once.
    package func start() {
        precondition(!isRunning.exchange(true, ordering: .relaxed), "an HTTP client is started once")
        loop.start()
        loop.execute { [loop, transfers] in transfers.open(on: loop) }
    }

    /// Sends a request; the handler hears of its answer on the client's thread and must not block there.
    package func send(_ request: HTTPRequest, _ handle: @escaping Handler) -> HTTPTransfer {
        let id = lastID.wrappingAdd(1, ordering: .relaxed).newValue
        loop.execute { [transfers] in transfers.begin(id, request, handle) }
        return HTTPTransfer(id: id, client: self)
    }

    /// Ends all requests and the loop; returns when it is gone.
    package func stop() async {
        await loop.stop()
        isRunning.store(false, ordering: .relaxed)
    }

    func cancel(_ id: HTTPTransfer.ID) {
        loop.execute { [transfers] in transfers.cancel(id) }
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
