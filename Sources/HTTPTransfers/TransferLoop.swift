internal import CCurl
internal import Glibc
internal import ServingModel
internal import ZeroMQ

/// What a client does on its loop: libcurl's handles, and their sockets in one set that the loop polls as a whole.
///
/// Unchecked: touched on the loop's thread only.
final class TransferLoop: @unchecked Sendable {
    /// Nil before it is open and after it is closed.
    private var multi: UnsafeMutableRawPointer?
    /// An epoll descriptor.
    private var sockets: CInt = -1
    private var isClosed = false
    private var transfers: [HTTPTransfer.ID: TransferHandle] = [:]
    private var ids: [UnsafeMutableRawPointer: HTTPTransfer.ID] = [:]
    /// When libcurl wants to be called at the latest.
    private var due = Instant.distantFuture
    /// Handles of requests that have ended: making one takes longer than most else that a small request takes here.
    private var spares: [TransferHandle] = []
    private static let mostSpares = 64
    /// Connections that are kept.
    ///
    /// Left to itself libcurl keeps four times as many as there are requests at the moment, so that what one burst opens is
    /// closed at its end and opened again in the next.
    private static let mostIdleConnections = 512
    /// Sockets dealt with in one cycle; the others come with the next.
    private static let eventsPerCycle = 256
    private var events = [epoll_event](repeating: epoll_event(), count: eventsPerCycle)

    func open(on loop: PollLoop) {
        guard let multi = curl_multi_init() else { preconditionFailure("no memory for libcurl") }
        sockets = epoll_create1(CInt(EPOLL_CLOEXEC))
        precondition(sockets >= 0, "no descriptor for libcurl's sockets: \(errno)")
        self.multi = multi
        let context = Unmanaged.passUnretained(self).toOpaque()
        let code = aladdin_curl_watch(multi, watchSocket, setTimer, context)
        precondition(code == CURLM_OK, "libcurl refuses to be driven: \(code.rawValue)")
        aladdin_curl_keep_connections(multi, Self.mostIdleConnections)
        loop.watch(descriptor: sockets) { [unowned self] in serveSockets() }
        loop.onCycle = { [unowned self] now in cycle(at: now) }
        loop.onStop = { [unowned self] in close() }
    }

    func begin(_ id: HTTPTransfer.ID, _ request: HTTPRequest, _ handle: @escaping HTTPClient.Handler) {
        do throws(TransferFailure) {
            guard let multi, !isClosed else { throw TransferFailure(.cancelled, "the client has been stopped") }
            guard let transfer = spares.popLast() ?? TransferHandle() else {
                throw TransferFailure(.failed, "no memory for a request")
            }
            try transfer.prepare(for: request, handle)
            guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
                throw TransferFailure(.failed, "libcurl takes no further request")
            }
            transfers[id] = transfer
            ids[transfer.easy] = id
        } catch {
            _ = handle(.ended(error))
        }
    }

    func cancel(_ id: HTTPTransfer.ID) {
        end(id, TransferFailure(.cancelled, "cancelled"))
    }

    private func serveSockets() {
        let count = epoll_wait(sockets, &events, CInt(Self.eventsPerCycle), 0)
        guard count > 0 else { return }
        for index in 0..<Int(count) { act(on: events[index].data.fd, events[index].events) }
        endFinished()
    }

    private func act(on socket: CInt, _ events: UInt32) {
        var mask: CInt = 0
        if events & EPOLLIN.rawValue != 0 { mask |= CURL_CSELECT_IN }
        if events & EPOLLOUT.rawValue != 0 { mask |= CURL_CSELECT_OUT }
        if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { mask |= CURL_CSELECT_ERR }
        var running: CInt = 0
        curl_multi_socket_action(multi, socket, mask, &running)
    }

    /// Calls libcurl when it is time to, for new requests at once.
    private func cycle(at now: Instant) -> Instant {
        while due <= now {
            due = .distantFuture
            var running: CInt = 0
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
            endFinished()
        }
        return due
    }

    fileprivate func wantsCall(inMilliseconds milliseconds: Int) {
        due = milliseconds < 0 ? .distantFuture : PollLoop.now() + .milliseconds(Int64(milliseconds))
    }

    fileprivate func watch(_ socket: CInt, for what: CInt) {
        guard what != CURL_POLL_REMOVE else {
            epoll_ctl(sockets, EPOLL_CTL_DEL, socket, nil)
            return
        }
        var event = epoll_event()
        if what != CURL_POLL_OUT { event.events |= EPOLLIN.rawValue }
        if what != CURL_POLL_IN { event.events |= EPOLLOUT.rawValue }
        event.data.fd = socket
        // A descriptor that was closed has left the set by itself.
        if epoll_ctl(sockets, EPOLL_CTL_MOD, socket, &event) != 0 { epoll_ctl(sockets, EPOLL_CTL_ADD, socket, &event) }
    }

    private func endFinished() {
        var result = CURLE_OK
        while let multi, let easy = aladdin_curl_next_done(multi, &result) {
            guard let id = ids[easy] else { continue }
            end(id, TransferFailure(result))
        }
    }

    /// Ends a request that may be over already.
    private func end(_ id: HTTPTransfer.ID, _ failure: TransferFailure?) {
        guard let transfer = transfers.removeValue(forKey: id) else { return }
        ids[transfer.easy] = nil
        // Removing a handle in the middle of its answer closes the connection.
        curl_multi_remove_handle(multi, transfer.easy)
        transfer.end(failure)
        if spares.count < Self.mostSpares { spares.append(transfer) }
    }

    private func close() {
        for id in transfers.keys.sorted() { end(id, TransferFailure(.cancelled, "the client was stopped")) }
        spares = []
        isClosed = true
        curl_multi_cleanup(multi)
        multi = nil
        Glibc.close(sockets)
    }
}

private nonisolated func watchSocket(
    _ easy: UnsafeMutableRawPointer?,
    _ socket: curl_socket_t,
    _ what: CInt,
    _ context: UnsafeMutableRawPointer?,
    _ socketContext: UnsafeMutableRawPointer?
) -> CInt {
    guard let context else { return 0 }
    Unmanaged<TransferLoop>.fromOpaque(context).takeUnretainedValue().watch(socket, for: what)
    return 0
}

private nonisolated func setTimer(
    _ multi: UnsafeMutableRawPointer?,
    _ milliseconds: Int,
    _ context: UnsafeMutableRawPointer?
) -> CInt {
    guard let context else { return 0 }
    Unmanaged<TransferLoop>.fromOpaque(context).takeUnretainedValue().wantsCall(inMilliseconds: milliseconds)
    return 0
}

extension TransferFailure {
    /// Nil for a transfer that went well.
    fileprivate init?(_ code: CURLcode) {
        let kind: Kind
        switch code {
        case CURLE_OK: return nil
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST: kind = .unreachable
        case CURLE_OPERATION_TIMEDOUT: kind = .timedOut
        case CURLE_WRITE_ERROR: kind = .cancelled
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING: kind = .cut
        default: kind = .failed
        }
        self.init(kind, String(cString: curl_easy_strerror(code)).lowercased())
    }
}
