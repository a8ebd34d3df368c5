internal import CAladdinMessages
internal import ServingModel

extension ClusterEvents: WireRoot {
    static var budgetPerByte: Int { denseBudgetPerByte }

    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__ClusterEvents>? {
        aladdin__v1__cluster_events__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__ClusterEvents>) throws(DecodingFailure) -> ClusterEvents {
        ClusterEvents(
            firstNumber: wire.pointee.first_number,
            events: try Reading.list(wire.pointee.n_events, wire.pointee.events, "events")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__ClusterEvents> {
        let wire = arena.make(aladdin__v1__cluster_events__init)
        wire.pointee.first_number = firstNumber
        wire.pointee.n_events = events.count
        wire.pointee.events = arena.list(events)
        return wire
    }
}

extension ClusterEvent: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__ClusterEvent>) throws(DecodingFailure) -> ClusterEvent {
        switch wire.pointee.event_case {
        case ALADDIN__V1__CLUSTER_EVENT__EVENT_WORKER_JOINED:
            return .workerJoined(try Reading.required(wire.pointee.worker_joined, "worker_joined"))
        case ALADDIN__V1__CLUSTER_EVENT__EVENT_WORKER_LEFT:
            let left = try Reading.member(wire.pointee.worker_left, "worker_left")
            return .workerLeft(WorkerID(rawValue: left.worker), isDraining: left.draining != 0)
        case ALADDIN__V1__CLUSTER_EVENT__EVENT_QUERY_QUEUED:
            return .queryQueued(try Reading.required(wire.pointee.query_queued, "query_queued"))
        case ALADDIN__V1__CLUSTER_EVENT__EVENT_QUERY_DISPATCHED:
            let dispatched = try Reading.member(wire.pointee.query_dispatched, "query_dispatched")
            return .queryDispatched(
                QueryNumber(rawValue: dispatched.query),
                to: WorkerID(rawValue: dispatched.worker),
                attempt: Int(dispatched.attempt)
            )
        case ALADDIN__V1__CLUSTER_EVENT__EVENT_STEP_COMPLETED:
            return .stepCompleted(try Reading.required(wire.pointee.step_completed, "step_completed"))
        case ALADDIN__V1__CLUSTER_EVENT__EVENT_QUERY_ENDED:
            return .queryEnded(try Reading.required(wire.pointee.query_ended, "query_ended"))
        case ALADDIN__V1__CLUSTER_EVENT__EVENT_SNAPSHOT_COMPLETE:
            return .snapshotComplete
        default:
            throw DecodingFailure(field: "event", problem: .missing)
        }
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__ClusterEvent> {
        let wire = arena.make(aladdin__v1__cluster_event__init)
        switch self {
        case .workerJoined(let joined):
            wire.pointee.event_case = ALADDIN__V1__CLUSTER_EVENT__EVENT_WORKER_JOINED
            wire.pointee.worker_joined = joined.write(in: &arena)
        case .workerLeft(let worker, let isDraining):
            let left = arena.make(aladdin__v1__worker_left__init)
            left.pointee.worker = worker.rawValue
            left.pointee.draining = isDraining ? 1 : 0
            wire.pointee.event_case = ALADDIN__V1__CLUSTER_EVENT__EVENT_WORKER_LEFT
            wire.pointee.worker_left = left
        case .queryQueued(let query):
            wire.pointee.event_case = ALADDIN__V1__CLUSTER_EVENT__EVENT_QUERY_QUEUED
            wire.pointee.query_queued = query.write(in: &arena)
        case .queryDispatched(let query, let worker, let attempt):
            let dispatched = arena.make(aladdin__v1__query_dispatched__init)
            dispatched.pointee.query = query.rawValue
            dispatched.pointee.worker = worker.rawValue
            dispatched.pointee.attempt = Writing.count32(attempt)
            wire.pointee.event_case = ALADDIN__V1__CLUSTER_EVENT__EVENT_QUERY_DISPATCHED
            wire.pointee.query_dispatched = dispatched
        case .stepCompleted(let step):
            wire.pointee.event_case = ALADDIN__V1__CLUSTER_EVENT__EVENT_STEP_COMPLETED
            wire.pointee.step_completed = step.write(in: &arena)
        case .queryEnded(let ended):
            wire.pointee.event_case = ALADDIN__V1__CLUSTER_EVENT__EVENT_QUERY_ENDED
            wire.pointee.query_ended = ended.write(in: &arena)
        case .snapshotComplete:
            wire.pointee.event_case = ALADDIN__V1__CLUSTER_EVENT__EVENT_SNAPSHOT_COMPLETE
            wire.pointee.snapshot_complete = arena.make(aladdin__v1__snapshot_complete__init)
        }
        return wire
    }
}
