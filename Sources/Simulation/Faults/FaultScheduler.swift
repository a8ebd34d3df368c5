internal import Scheduling
internal import ServingModel

/// A scheduler's process around the production machine.
struct FaultScheduler: Sendable {
    let policy: String
    let seed: UInt64
    var scheduler: Scheduler
    /// Whether it waits for its turn.
    var standsBy: Bool
    var lookAgain = Instant.distantFuture

    init(policy: String, seed: UInt64, standsBy: Bool) {
        self.policy = policy
        self.seed = seed
        self.standsBy = standsBy
        guard let made = try? PolicyCatalog.make(policy, seed: seed) else {
            preconditionFailure("a plan names policies of the catalogue")
        }
        scheduler = Scheduler(policy: made, explains: true)
    }
}
