import Messages
import ServingModel

extension LatencyProfile {
    static func draw(model: String, _ random: inout SeededGenerator) -> LatencyProfile {
        var profile = LatencyProfile(model: model, device: random.text(), gpus: random.number(upTo: largestUInt32))
        profile.prefill.c0Milliseconds = random.real()
        profile.prefill.c1Milliseconds = random.real()
        profile.prefill.k1Milliseconds = random.real()
        profile.prefill.k1qMilliseconds = random.real()
        profile.prefill.kneeTokens = random.real()
        profile.prefill.k1AboveKneeMilliseconds = random.real()
        profile.decode.c3Milliseconds = random.real()
        profile.decode.k2Milliseconds = random.real()
        profile.decode.c2Milliseconds = random.real()
        profile.decode.kneeSequences = random.real()
        profile.decode.c2AboveKneeMilliseconds = random.real()
        profile.decode.expertMilliseconds = random.real()
        profile.decode.expertShare = random.real(in: 0...1)
        profile.mixedConstantMilliseconds = random.maybe { $0.real() }
        profile.kvCache.capacityTokens = random.number(upTo: largestCount)
        profile.kvCache.blockTokens = max(1, random.number(upTo: largestUInt32))
        profile.kvCache.watermark = random.real(in: 0...1)
        profile.kvCache.bytesPerToken = random.maybe { Double.random(in: 1...1e9, using: &$0) }
        profile.limits.maximumSequences = random.number(upTo: largestUInt32)
        profile.limits.maximumBatchedTokens = random.number(upTo: largestUInt32)
        profile.limits.chunkTokens = random.number(upTo: largestUInt32)
        return profile
    }
}

extension StepWorkload: Drawable {
    static func draw(_ random: inout SeededGenerator) -> StepWorkload {
        StepWorkload(
            kind: [.prefill, .decode, .mixed].randomElement(using: &random) ?? .mixed,
            prefillTokens: random.number(upTo: largestUInt32),
            prefillSquares: random.number(upTo: largestCount),
            decodeSequences: random.number(upTo: largestUInt32),
            contextTokens: random.number(upTo: largestCount)
        )
    }
}

extension WorkerReport: Drawable {
    static func draw(_ random: inout SeededGenerator) -> WorkerReport {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: .pull(granted: random.word())
        case 1: .drain
        case 2:
            .registration(.draw(&random))
        default:
            .step(
                StepReport(
                    workload: random.maybe { .draw(&$0) },
                    duration: random.microseconds(),
                    progress: random.list {
                        var progress = LeaseProgress(
                            lease: Lease(rawValue: $0.word()),
                            tokens: $0.maybe { .draw(&$0) },
                            finished: $0.maybe { .draw(&$0) },
                            failed: $0.maybe { .draw(&$0) }
                        )
                        progress.handedOver = $0.maybe { .draw(&$0) }
                        return progress
                    },
                    waiting: random.number(upTo: largestUInt32),
                    freeKVTokens: random.number(upTo: largestCount)
                )
            )
        }
    }
}

extension WorkerRegistration: Drawable {
    static func draw(_ random: inout SeededGenerator) -> WorkerRegistration {
        var registration = WorkerRegistration(
            name: random.text(),
            engine: random.text(),
            contextLength: random.number(upTo: largestUInt32),
            resumesPrefix: random.chance(50),
            keepsPrefixes: random.chance(50),
            batching: random.chance(50) ? .chunked : .prefillPriority,
            profile: .draw(model: random.text(), &random)
        )
        registration.role = WorkerRole.allCases.randomElement(using: &random) ?? .both
        registration.kvExchange = random.text()
        return registration
    }
}

extension HandedOverEvent: Drawable {
    static func draw(_ random: inout SeededGenerator) -> HandedOverEvent {
        HandedOverEvent(
            kvCache: "\(random.word())",
            inputTokens: random.number(upTo: largestUInt32),
            bytes: random.number(upTo: largestCount)
        )
    }
}

extension WorkerCommand: Drawable {
    static func draw(_ random: inout SeededGenerator) -> WorkerCommand {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: .registered(worker: WorkerID(rawValue: random.word()))
        case 1: .cancel(random.list { Lease(rawValue: $0.word()) })
        case 2: .drain
        default:
            .batch(
                random.list {
                    var assignment = WireAssignment(
                        lease: Lease(rawValue: $0.word()),
                        queryID: $0.text(),
                        attempt: $0.number(upTo: largestUInt32),
                        remaining: $0.maybe { $0.milliseconds(atLeast: 1) },
                        request: OpaqueRequest($0.list(upTo: 20) { UInt8.random(in: 0...255, using: &$0) }),
                        resumedTokens: $0.tokens(),
                        traceparent: $0.text()
                    )
                    assignment.handsOver = $0.chance(50)
                    assignment.kvCache = "\($0.word())"
                    return assignment
                }
            )
        }
    }
}

extension SchedulerReport: Drawable {
    static func draw(_ random: inout SeededGenerator) -> SchedulerReport {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: .registration(policy: random.text(), isStandby: random.chance(50))
        case 2: .wishes(random.list { FleetWish.draw(&$0) })
        case 1:
            .insight(
                Insight(
                    workers: random.list {
                        WorkerInsight(
                            worker: WorkerID(rawValue: $0.word()),
                            profile: .draw(model: "", &$0),
                            stepError: $0.real(),
                            stepBias: $0.real(),
                            steps: $0.word()
                        )
                    },
                    decisions: random.word(),
                    decisionP50Microseconds: random.real(),
                    decisionP99Microseconds: random.real()
                )
            )
        default:
            .placements(
                random.list {
                    Placement(
                        query: QueryNumber(rawValue: $0.word()),
                        attempt: $0.number(upTo: largestUInt32),
                        worker: WorkerID(rawValue: $0.word()),
                        predictedTimeToFirstToken: $0.maybe { $0.microseconds(atLeast: 1) },
                        predictedTokenTime: $0.maybe { $0.microseconds(atLeast: 1) },
                        explanation: $0.maybe { .draw(&$0) }
                    )
                }
            )
        }
    }
}

extension FleetWish: Drawable {
    static func draw(_ random: inout SeededGenerator) -> FleetWish {
        FleetWish(
            model: random.text(),
            workers: random.number(upTo: largestUInt32),
            gpusPerWorker: random.number(upTo: largestUInt32),
            reason: ["demand", "surplus", ""].randomElement(using: &random) ?? "",
            active: random.number(upTo: largestUInt32),
            starting: random.number(upTo: largestUInt32),
            offeredLoad: random.real()
        )
    }
}

extension ClusterStatus: Drawable {
    static func draw(_ random: inout SeededGenerator) -> ClusterStatus {
        var status = ClusterStatus()
        status.fleets = random.list { FleetWish.draw(&$0) }
        status.objective = random.maybe {
            ServiceLevelObjective(
                timeToFirstToken: $0.microseconds(atLeast: 1),
                averageTokenTime: $0.microseconds(atLeast: 1)
            )
        }
        status.broker = random.text()
        status.version = random.text()
        status.uptime = random.milliseconds()
        status.policy = random.text()
        status.decisions = random.word()
        status.decisionP50Microseconds = random.real()
        status.decisionP99Microseconds = random.real()
        status.workers = random.list(upTo: 2) { .draw(&$0) }
        status.models = random.list(upTo: 2) { .draw(&$0) }
        status.frontendSessions = random.number(upTo: largestUInt32)
        status.predictions = .draw(&random)
        status.metrics = random.text()
        return status
    }
}

extension WorkerStatus: Drawable {
    static func draw(_ random: inout SeededGenerator) -> WorkerStatus {
        var status = WorkerStatus(
            worker: WorkerID(rawValue: random.word()),
            name: random.text(),
            engine: random.text(),
            profile: .draw(model: random.text(), &random)
        )
        status.isDraining = random.chance(50)
        status.queued = random.number(upTo: largestUInt32)
        status.waiting = random.number(upTo: largestUInt32)
        status.running = random.number(upTo: largestUInt32)
        status.freeKVTokens = random.number(upTo: largestCount)
        status.queriesCompleted = random.word()
        status.outputTokens = random.word()
        status.stepError = random.real()
        status.stepBias = random.real()
        status.steps = random.word()
        status.lastStepAge = random.milliseconds()
        status.predictions = .draw(&random)
        return status
    }
}

extension ModelStatus: Drawable {
    static func draw(_ random: inout SeededGenerator) -> ModelStatus {
        var status = ModelStatus(model: random.text())
        status.workers = random.number(upTo: largestUInt32)
        status.queued = random.number(upTo: largestUInt32)
        status.running = random.number(upTo: largestUInt32)
        status.completed = random.word()
        status.failed = random.word()
        status.cancelled = random.word()
        status.refused = random.word()
        status.retried = random.word()
        status.outputTokens = random.word()
        status.wastedTokens = random.word()
        status.attainment = random.real()
        status.timeToFirstToken.p50Milliseconds = random.real()
        status.timeToFirstToken.count = random.word()
        status.averageTokenTime.p90Milliseconds = random.real()
        status.averageTokenTime.p99Milliseconds = random.real()
        status.predictions = .draw(&random)
        return status
    }
}
