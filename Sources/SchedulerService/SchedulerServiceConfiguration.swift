package import Scheduling
package import ServingModel
package import ZeroMQ

/// How a scheduler decides, and for which broker.
package struct SchedulerServiceConfiguration: Sendable {
    package var brokerEndpoint = "tcp://127.0.0.1:5552"
    /// For a broker that wants to know who comes.
    package var keys: PeerKeys?
    /// One of `PolicyCatalog.names`.
    package var policy = PolicyCatalog.defaultName
    /// What random policies draw from.
    package var seed: UInt64 = 1

    /// A name of `ScalingCatalog` with its settings; nil wishes for nothing.
    package var scaling: String? = ScalingCatalog.defaultName
    package var scalingLimits = ScalingLimits()
    /// How long a worker takes to start, before any was seen to.
    package var workerStartUp = Interval.seconds(30)

    /// Waits until no other scheduler is there, instead of taking over from it.
    package var standsBy = false

    /// Shared with other roles of this process; nil for a thread of its own.
    package var thread: LoopThread?

    package init() {}
}
