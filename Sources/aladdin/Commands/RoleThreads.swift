internal import Foundation
internal import ZeroMQ

/// The threads that the roles of `up` share.
///
/// What they pass to each other is quickly dealt with, and with two processors waking another thread for it takes longer.
/// With processors to spare the work of one thread is the limit, and the broker is more than half of it.
struct RoleThreads {
    /// Of broker, gateway and client; nil if each role has one of its own.
    let front: LoopThread?
    /// Of scheduler and workers.
    let back: LoopThread?

    /// - Parameter option: as given on the command line.
    init(_ option: String?, for engine: EngineChoice) throws {
        let setting = try Setting.resolve(option, "role-threads", default: "auto")
        switch setting == "auto" ? Self.usual(for: engine) : setting {
        case "one":
            let shared = LoopThread(name: "roles")
            (front, back) = (shared, shared)
        case "two": (front, back) = (LoopThread(name: "roles"), LoopThread(name: "workers"))
        default: (front, back) = (nil, nil)
        }
    }

    private static func usual(for engine: EngineChoice) -> String {
        let processors = ProcessInfo.processInfo.activeProcessorCount
        guard processors <= 4 else { return "each" }
        // Before a server that answers over the network each thread more is one more that every request waits for.
        return processors > 2 && engine.workers == nil ? "two" : "one"
    }
}
