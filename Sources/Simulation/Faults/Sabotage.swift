/// Ways to break the cluster on purpose, one at least for each invariant: the proof that a checker would notice.
///
/// Each is done at a seam between the machines, so that production code has no switch to be wrong.
package enum Sabotage: String, Hashable, Sendable, CaseIterable {
    /// The journal gets every end twice.
    case endsWrittenTwice
    /// A worker is sent a query that nobody submitted.
    case strangerDispatched
    /// Clients are not told to start over.
    case resetsWithheld
    /// Every start of the broker takes itself for the first.
    case epochRepeated
    /// A batch goes to a second worker as well.
    case leasedTwice
    /// What a worker reports under a stale lease is passed on under the present one.
    case noFencing
    /// Repetitions are not written down.
    case retriesUnwritten
    case deadlinesIgnored
    case cancellationsIgnored
    /// A broker that starts knows no name of an ended query.
    case keysForgotten
    /// The broker hears that its records are durable as soon as they are written.
    case acknowledgedBeforeSync
    /// Acceptances are not written down.
    case acceptancesUnwritten
    /// Workers seem to grant twice what they do.
    case overfed
    /// Slow connections always seem to have room.
    case spoolUnbounded
    /// Now and then tokens go to another client.
    case crossTalk
    /// Whoever attaches seems to be the owner.
    case ownersIgnored
    /// A broker that starts overlooks a query.
    case queryOverlooked
    /// A plan that comes too late ends the attempt that it finds.
    case latePlansInterrupt
    /// Now and then nobody is told that there is news for a stream.
    case wakeUpsLost

    /// Which checker has to notice.
    package var invariant: FaultInvariant {
        switch self {
        case .endsWrittenTwice: .oneEnd
        case .strangerDispatched: .nothingUnaccepted
        case .resetsWithheld: .oneStream
        case .epochRepeated, .leasedTwice: .oneLease
        case .noFencing: .fencing
        case .retriesUnwritten: .boundedAttempts
        case .deadlinesIgnored, .cancellationsIgnored: .nothingTooLate
        case .keysForgotten: .sameKeySameQuery
        case .acknowledgedBeforeSync, .acceptancesUnwritten: .toldIsKept
        case .overfed, .spoolUnbounded: .credit
        case .crossTalk, .ownersIgnored: .tenantsApart
        case .queryOverlooked: .exactRecovery
        case .latePlansInterrupt: .plansMoveNothingLeased
        case .wakeUpsLost: .liveness
        }
    }
}
