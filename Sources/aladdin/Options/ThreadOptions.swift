internal import ArgumentParser
internal import Foundation
internal import ServingModel
internal import ZeroMQ

/// How the threads of roles wait for work.
struct ThreadOptions: ParsableArguments {
    @Option(
        help: """
            Microseconds for which a busy role looks for more before it sleeps, as being woken takes longer than most \
            messages; 0 never. (default: 150; 0 with one processor)
            """
    )
    var busyPollUs: Int?

    func busyPoll() throws -> Interval {
        let usual = ProcessInfo.processInfo.activeProcessorCount > 1 ? 150 : 0
        return Interval(nanoseconds: Int64(try Setting.resolve(busyPollUs, "busy-poll-us", default: usual)) * 1000)
    }

    /// The same for an engine's thread, between whose steps a worker needs a moment at most.
    func engineBusyPoll() throws -> Interval {
        min(try busyPoll(), Interval(nanoseconds: 50_000))
    }

    /// A thread for one role.
    func thread(_ role: String) throws -> LoopThread {
        LoopThread(name: role, busyPoll: try busyPoll())
    }
}
