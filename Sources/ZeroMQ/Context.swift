internal import CZeroMQ
internal import Glibc
internal import Synchronization

/// The process's one libzmq context: its I/O threads and the limit on open sockets.
///
/// Use `Context.shared`. Several contexts in one process are safe only without CURVE (libzmq 4.3.4 shuts the random
/// generator of all of them when one ends), so a context of one's own is for tests.
///
/// libzmq draws a router's first automatic routing id and the jitter of reconnects from `rand()` and seeds it nowhere;
/// creating the first context seeds it from the kernel.
///
/// All members may be called from any thread.
package final class Context: Sendable {
    /// The context that sockets use unless they are given another.
    package static let shared = Context()

    /// Most sockets that may be open at once; libzmq's own default of 1,023 is too low for a client of many brokers.
    package static let maximumSockets = 8192

    private struct State: @unchecked Sendable {
        /// Nil once terminated.
        var handle: UnsafeMutableRawPointer?
        var hasSockets = false
    }

    private let state: Mutex<State>

    package init() {
        seedOnce
        guard let handle = zmq_ctx_new() else { fatalError("zmq_ctx_new: \(ZeroMQError.last("context"))") }
        zmq_ctx_set(handle, ZMQ_MAX_SOCKETS, Int32(Self.maximumSockets))
        state = Mutex(State(handle: handle))
    }

    deinit {
        // Every socket keeps its context alive, so none is open here.
        terminate()
    }

    /// Sets the number of libzmq's I/O threads (one by default, enough for about a gigabyte a second).
    ///
    /// - Precondition: no socket has been made in this context, and `count` is 1...64.
    package func setIOThreads(_ count: Int) {
        precondition((1...64).contains(count), "1 to 64 I/O threads")
        state.withLock { state in
            precondition(!state.hasSockets, "the I/O threads already run: set their number before the first socket")
            guard let handle = state.handle else { return }
            zmq_ctx_set(handle, ZMQ_IO_THREADS, Int32(count))
        }
    }

    /// Ends the context; returns when all its sockets are closed and their `linger` is over.
    ///
    /// Blocks the calling thread until then, so stop the loops first. A socket that is still open is refused everything
    /// but `close()` from now on, and making another throws. Does nothing the second time.
    package func terminate() {
        let handle = state.withLock { state in
            defer { state.handle = nil }
            return OwnedHandle(handle: state.handle)
        }
        guard let handle = handle.handle else { return }
        while zmq_ctx_term(handle) != 0, zmq_errno() == EINTR {}
    }

    /// A new libzmq socket, or `ETERM` after `terminate()`, or `EMFILE` beyond `maximumSockets`.
    func makeSocket(_ type: Int32) throws(ZeroMQError) -> UnsafeMutableRawPointer {
        let result: Result<OwnedHandle, ZeroMQError> = state.withLock { state in
            guard let context = state.handle else {
                return .failure(ZeroMQError(operation: "socket", code: terminatedCode))
            }
            guard let socket = zmq_socket(context, type) else { return .failure(.last("socket")) }
            state.hasSockets = true
            return .success(OwnedHandle(handle: socket))
        }
        guard let handle = try result.get().handle else { fatalError("zmq_socket returned nothing") }
        return handle
    }
}

/// A libzmq handle on its way out of the lock.
private struct OwnedHandle: @unchecked Sendable {
    let handle: UnsafeMutableRawPointer?
}

/// Seeds `rand()` the first time it is read.
private let seedOnce: Void = {
    var seed: UInt32 = 0
    while getrandom(&seed, MemoryLayout<UInt32>.size, 0) != MemoryLayout<UInt32>.size {
        precondition(errno == EINTR, "getrandom failed: \(errno)")
    }
    srand(seed)
}()
