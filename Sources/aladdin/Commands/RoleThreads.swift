internal import Foundation
internal import NIOCore
internal import ServingModel
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

    /// Whether all roles share one thread.
    var isOne: Bool { front != nil && front === back }

    /// - Parameters:
    ///   - option: as given on the command line.
    ///   - busyPoll: for how long a thread looks for more before it sleeps.
    init(_ option: String?, busyPoll: Interval, for engine: EngineChoice) throws {
        let setting = try Setting.resolve(option, "role-threads", default: "auto")
        switch setting == "auto" ? Self.usual(for: engine) : setting {
        case "one":
            let shared = LoopThread(name: "roles", busyPoll: busyPoll)
            (front, back) = (shared, shared)
            Self.leaveProcessors(to: 1)
        case "two":
            (front, back) = (
                LoopThread(name: "roles", busyPoll: busyPoll), LoopThread(name: "workers", busyPoll: busyPoll)
            )
            Self.leaveProcessors(to: 2)
        default: (front, back) = (nil, nil)
        }
    }

    /// Gives the connections' threads the processors that the roles' leave, before there are any.
    ///
    /// Requests that come at once are dealt with in one round of a thread that has many connections, and in several of threads
    /// that each have some and wait for a processor.
    private static func leaveProcessors(to roles: Int) {
        NIOSingletons.groupLoopCountSuggestion = max(1, ProcessInfo.processInfo.activeProcessorCount - roles)
    }

    private static func usual(for engine: EngineChoice) -> String {
        let processors = ProcessInfo.processInfo.activeProcessorCount
        guard processors <= 4 else { return "each" }
        // Before a server that answers over the network each thread more is one more that every request waits for.
        return processors > 2 && engine.workers == nil ? "two" : "one"
    }
}
