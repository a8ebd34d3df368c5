internal import Synchronization

extension HTTPClient {
    /// Sends a request and reads its whole answer, whatever its status.
    ///
    /// Cancelling the task ends the request.
    ///
    /// - Parameter maximumBytes: of the answer's body.
    package func fetch(_ request: HTTPRequest, maximumBytes: Int = 16 << 20) async throws(TransferFailure) -> HTTPAnswer
    {
        let answer = Mutex(HTTPAnswer(status: 0, body: []))
        let failure = await end(of: request) { event in
            switch event {
            case .began(let status, _):
                answer.withLock { $0.status = status }
            case .body(let bytes):
                return answer.withLock { answer in
                    answer.body += bytes.prefix(maximumBytes + 1 - answer.body.count)
                    return answer.body.count > maximumBytes ? .enough : .more
                }
            case .ended: break
            }
            return .more
        }
        let result = answer.withLock { $0 }
        guard result.body.count <= maximumBytes else {
            throw TransferFailure(.tooLarge, "the answer is larger than \(maximumBytes) bytes")
        }
        if let failure { throw failure }
        return result
    }

    /// Sends a request and returns when it has ended, and why if not well; cancelling the task ends it.
    ///
    /// - Parameter hear: hears every event, on the client's thread.
    package func end(
        of request: HTTPRequest,
        _ hear: @escaping Handler
    ) async -> TransferFailure? {
        let sent = SentTransfer()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let transfer = send(request) { event in
                    let interest = hear(event)
                    if case .ended(let failure) = event { continuation.resume(returning: failure) }
                    return interest
                }
                sent.set(transfer)
            }
        } onCancel: {
            sent.cancel()
        }
    }
}

/// A transfer that may be cancelled before it is known.
private final class SentTransfer: Sendable {
    private let state = Mutex<(transfer: HTTPTransfer?, isCancelled: Bool)>((nil, false))

    func set(_ transfer: HTTPTransfer) {
        let isCancelled = state.withLock { state in
            state.transfer = transfer
            return state.isCancelled
        }
        if isCancelled { transfer.cancel() }
    }

    func cancel() {
        let transfer = state.withLock { state in
            state.isCancelled = true
            return state.transfer
        }
        transfer?.cancel()
    }
}
