internal import CCurl

/// The thread's side of a client: libcurl's handles, touched here and nowhere else.
final class TransferLoop {
    private let multi: UnsafeMutableRawPointer
    private var transfers: [HTTPTransfer.ID: TransferHandle] = [:]
    private var ids: [UnsafeMutableRawPointer: HTTPTransfer.ID] = [:]
    /// Handles of requests that have ended: making one takes longer than most else that a small request takes here.
    private var spares: [UnsafeMutableRawPointer] = []
    private static let mostSpares = 64

    init(multi: UnsafeMutableRawPointer) {
        self.multi = multi
    }

    /// Serves until the client is stopped.
    func run(for client: HTTPClient) {
        while true {
            let (commands, areLast) = client.takeCommands()
            for command in commands {
                switch command {
                case .begin(let id, let request, let handle): begin(id, request, handle)
                case .cancel(let id): end(id, TransferFailure(.cancelled, "cancelled"))
                }
            }
            if areLast { break }
            var running: Int32 = 0
            curl_multi_perform(multi, &running)
            endFinished()
            // Woken by data, by a command, or for libcurl's own timeouts, which it knows.
            curl_multi_poll(multi, nil, 0, 60_000, nil)
        }
        for id in transfers.keys.sorted() { end(id, TransferFailure(.cancelled, "the client was stopped")) }
        for easy in spares { curl_easy_cleanup(easy) }
        curl_multi_cleanup(multi)
    }

    private func begin(_ id: HTTPTransfer.ID, _ request: HTTPRequest, _ handle: @escaping HTTPClient.Handler) {
        do throws(TransferFailure) {
            guard let easy = spares.popLast() ?? curl_easy_init() else {
                throw TransferFailure(.failed, "no memory for a request")
            }
            let transfer = try TransferHandle(request, on: easy, handle)
            guard curl_multi_add_handle(multi, transfer.easy) == CURLM_OK else {
                throw TransferFailure(.failed, "libcurl takes no further request")
            }
            transfers[id] = transfer
            ids[transfer.easy] = id
        } catch {
            _ = handle(.ended(error))
        }
    }

    private func endFinished() {
        var result = CURLE_OK
        while let easy = aladdin_curl_next_done(multi, &result) {
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
        if spares.count < Self.mostSpares { spares.append(transfer.takeHandle()) }
    }
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
