package import ServingModel

/// Query k of the trace goes to worker k mod N.
package struct RoundRobin: DispatchPolicy {
    package init() {}

    package mutating func place(_ query: Int, at now: Instant, fleet: FleetState) -> Int? {
        query % fleet.workerCount
    }
}
