internal import CAladdinMessages
internal import ServingModel

extension SchedulerReport: WireRoot {
    static var budgetPerByte: Int { denseBudgetPerByte }

    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__SchedulerReport>? {
        aladdin__v1__scheduler_report__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__SchedulerReport>) throws(DecodingFailure) -> SchedulerReport {
        switch wire.pointee.report_case {
        case ALADDIN__V1__SCHEDULER_REPORT__REPORT_REGISTRATION:
            let registration = try Reading.member(wire.pointee.registration, "registration")
            return .registration(
                policy: try Reading.string(registration.policy, "registration.policy"),
                isStandby: registration.standby != 0
            )
        case ALADDIN__V1__SCHEDULER_REPORT__REPORT_PLACEMENTS:
            let list = try Reading.member(wire.pointee.placements, "placements")
            return .placements(try Reading.list(list.n_placements, list.placements, "placements.placements"))
        case ALADDIN__V1__SCHEDULER_REPORT__REPORT_INSIGHT:
            return .insight(try Reading.required(wire.pointee.insight, "insight"))
        case ALADDIN__V1__SCHEDULER_REPORT__REPORT_FLEET_WISHES:
            let list = try Reading.member(wire.pointee.fleet_wishes, "fleet_wishes")
            return .wishes(try Reading.list(list.n_fleets, list.fleets, "fleet_wishes.fleets"))
        default:
            throw DecodingFailure(field: "report", problem: .missing)
        }
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__SchedulerReport> {
        let wire = arena.make(aladdin__v1__scheduler_report__init)
        switch self {
        case .registration(let policy, let isStandby):
            let registration = arena.make(aladdin__v1__scheduler_registration__init)
            registration.pointee.policy = arena.string(policy)
            registration.pointee.standby = isStandby ? 1 : 0
            wire.pointee.report_case = ALADDIN__V1__SCHEDULER_REPORT__REPORT_REGISTRATION
            wire.pointee.registration = registration
        case .placements(let placements):
            let list = arena.make(aladdin__v1__placements__init)
            list.pointee.n_placements = placements.count
            list.pointee.placements = arena.list(placements)
            wire.pointee.report_case = ALADDIN__V1__SCHEDULER_REPORT__REPORT_PLACEMENTS
            wire.pointee.placements = list
        case .insight(let insight):
            wire.pointee.report_case = ALADDIN__V1__SCHEDULER_REPORT__REPORT_INSIGHT
            wire.pointee.insight = insight.write(in: &arena)
        case .wishes(let wishes):
            let list = arena.make(aladdin__v1__fleet_wishes__init)
            list.pointee.n_fleets = wishes.count
            list.pointee.fleets = arena.list(wishes)
            wire.pointee.report_case = ALADDIN__V1__SCHEDULER_REPORT__REPORT_FLEET_WISHES
            wire.pointee.fleet_wishes = list
        }
        return wire
    }
}

extension Placement: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__Placement>) throws(DecodingFailure) -> Placement {
        Placement(
            query: QueryNumber(rawValue: wire.pointee.query),
            attempt: Int(wire.pointee.attempt),
            worker: WorkerID(rawValue: wire.pointee.worker),
            predictedTimeToFirstToken: try Reading.microsecondsOrNil(
                wire.pointee.predicted_ttft_us,
                "predicted_ttft_us"
            ),
            predictedTokenTime: try Reading.microsecondsOrNil(
                wire.pointee.predicted_token_time_us,
                "predicted_token_time_us"
            ),
            explanation: try Reading.optional(wire.pointee.explanation, "explanation")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Placement> {
        let wire = arena.make(aladdin__v1__placement__init)
        wire.pointee.query = query.rawValue
        wire.pointee.attempt = Writing.count32(attempt)
        wire.pointee.worker = worker.rawValue
        wire.pointee.predicted_ttft_us = Writing.microseconds(predictedTimeToFirstToken)
        wire.pointee.predicted_token_time_us = Writing.microseconds(predictedTokenTime)
        wire.pointee.explanation = explanation?.write(in: &arena)
        return wire
    }
}

extension Insight: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__Insight>) throws(DecodingFailure) -> Insight {
        Insight(
            workers: try Reading.list(wire.pointee.n_workers, wire.pointee.workers, "workers"),
            decisions: wire.pointee.decisions,
            decisionP50Microseconds: try Reading.finite(wire.pointee.decision_p50_us, "decision_p50_us"),
            decisionP99Microseconds: try Reading.finite(wire.pointee.decision_p99_us, "decision_p99_us")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Insight> {
        let wire = arena.make(aladdin__v1__insight__init)
        wire.pointee.n_workers = workers.count
        wire.pointee.workers = arena.list(workers)
        wire.pointee.decisions = decisions
        wire.pointee.decision_p50_us = Writing.metric(decisionP50Microseconds)
        wire.pointee.decision_p99_us = Writing.metric(decisionP99Microseconds)
        return wire
    }
}

extension WorkerInsight: WireMapped {
    /// The profile's model is empty: the broker knows it from the worker's registration.
    static func read(_ wire: UnsafePointer<Aladdin__V1__WorkerInsight>) throws(DecodingFailure) -> WorkerInsight {
        WorkerInsight(
            worker: WorkerID(rawValue: wire.pointee.worker),
            profile: try Reading.required(wire.pointee.profile, "profile"),
            stepError: try Reading.finite(wire.pointee.step_error, "step_error"),
            stepBias: try Reading.finite(wire.pointee.step_bias, "step_bias"),
            steps: wire.pointee.steps
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__WorkerInsight> {
        let wire = arena.make(aladdin__v1__worker_insight__init)
        wire.pointee.worker = worker.rawValue
        wire.pointee.profile = profile.write(in: &arena)
        wire.pointee.step_error = Writing.metric(stepError)
        wire.pointee.step_bias = Writing.metric(stepBias)
        wire.pointee.steps = steps
        return wire
    }
}
