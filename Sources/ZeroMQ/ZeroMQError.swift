internal import CZeroMQ
internal import Glibc

/// A refusal by libzmq while a context or socket was being set up.
///
/// Sending and receiving never throw: their outcomes are values (`SendOutcome`, nil). Text comes from libzmq's error
/// number, with the likely cause where a person setting up a process can do something about it.
package struct ZeroMQError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was being done: `socket`, `bind`, `connect`, or the name of an option.
    package let operation: String

    /// The endpoint given to `bind` or `connect`, or nil.
    package let endpoint: String?

    /// The error number (`errno`, or one of libzmq's own such as `ETERM`).
    package let code: Int32

    /// The refusal in plain words, endpoint included.
    package let message: String

    package init(operation: String, endpoint: String? = nil, code: Int32) {
        self.operation = operation
        self.endpoint = endpoint
        self.code = code
        message = Self.explain(operation: operation, endpoint: endpoint, code: code)
    }

    package var description: String { message }

    /// The error of the libzmq call that has just failed on this thread; nothing may be called in between.
    static func last(_ operation: String, endpoint: String? = nil) -> ZeroMQError {
        ZeroMQError(operation: operation, endpoint: endpoint, code: zmq_errno())
    }

    private static func explain(operation: String, endpoint: String?, code: Int32) -> String {
        let place = endpoint ?? operation
        switch code {
        case EADDRINUSE:
            return "address already in use: \(place) (is another broker running?)"
        case EEXIST:
            return "a file that is no socket is in the way: \(place)"
        case EADDRNOTAVAIL:
            return "address does not belong to this machine: \(place)"
        case ENODEV:
            return "no such network interface or address: \(place) (bind wants an address or interface of this machine)"
        case EINVAL where endpoint != nil:
            return "not a valid endpoint: \(place) (expected tcp://host:port or ipc:///path/to/socket)"
        case EPROTONOSUPPORT, ENOCOMPATPROTO:
            return "unknown transport: \(place) (expected tcp://host:port or ipc:///path/to/socket)"
        case EACCES, EPERM:
            return "permission denied: \(place)"
        case ENOENT:
            return "no such directory: \(place)"
        case ENAMETOOLONG:
            return "path too long for a socket (107 bytes at most): \(place)"
        case EMFILE:
            return "too many open sockets or files: \(place) (raise the limit with ulimit -n)"
        case terminatedCode:
            return "the ZeroMQ context has ended: \(place)"
        default:
            return "\(operation) failed: \(String(cString: zmq_strerror(code)))" + (endpoint.map { ": \($0)" } ?? "")
        }
    }
}

/// `ETERM`: the context was terminated while the socket was open.
let terminatedCode: Int32 = ETERM
