internal import NIOCore

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Why a gateway could not start.
package struct GatewayError: Error, CustomStringConvertible, Sendable {
    /// A sentence that names the address.
    package var message: String
    package var cause: any Error

    package var description: String { message }

    /// What stopped the gateway from listening.
    static func cannotListen(on address: String, _ cause: any Error) -> GatewayError {
        let reason =
            switch (cause as? IOError)?.errnoCode {
            case EADDRINUSE?: "another process listens there already"
            case EACCES?: "ports below 1024 need more rights"
            case EADDRNOTAVAIL?: "this machine has no such address"
            default: String(describing: cause)
            }
        return GatewayError(message: "cannot listen on \(address): \(reason)", cause: cause)
    }
}
