/// How often each kind of thing happened in runs: what a test demands to have been reached.
package struct FaultCoverage: Hashable, Sendable {
    package enum Corner: String, Hashable, Sendable, CaseIterable {
        // Faults.
        case connectionLost, partition, halfOpen, paused, brokerPaused, workerKilled, schedulerKilled, clientGone
        case brokerKilled, brokerKilledAmidActions, engineHung, engineFailed, slowSync, failedSync, unsyncedLost
        case workerDrained, duplicateMessage, slowReader
        // What the broker made of them.
        case recoveredQueued, recoveredRunning, recoveredCheckpoint, recoveredDead, resumedPrefix, startedOver
        case suspectHeldBack
        case toldToStartOver, staleReport, revoked, expelled, poisonous, attemptsExhausted, deadlineExceeded
        case cancelled, noWorker, refused, fallbackPlacement, latePlan, standbyTookOver, preempted
        case cacheLeft, cacheTaken, cacheGone
        // What clients did.
        case attachedAgain, attachedFromAnotherSession, submittedAgain, joinedByKey, keyReused, keyLookedUp
        case attachLookedUp, acknowledgementLookedUp, duplicateDuringLookup, intruderRefused, acknowledged, readBack
        case endedOK, oneToken, longAnswer, volatileLost, multiTokenPiece
    }

    private var counts: [Corner: Int] = [:]

    package init() {}

    package subscript(corner: Corner) -> Int { counts[corner, default: 0] }

    mutating func note(_ corner: Corner, _ count: Int = 1) { counts[corner, default: 0] += count }

    package mutating func add(_ other: FaultCoverage) { counts.merge(other.counts) { $0 + $1 } }

    package var missing: [Corner] { Corner.allCases.filter { self[$0] == 0 } }
}
