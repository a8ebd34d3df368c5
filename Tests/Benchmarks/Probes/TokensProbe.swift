internal import BrokerService
internal import Brokering
internal import Foundation
internal import Messages
internal import ServingModel

/// What a token costs the broker, sockets and sessions apart: from the bytes of workers' reports to those of clients' events
/// and the scheduler's.
struct TokensProbe {
    private let workers: Int
    private let sequences: Int
    private let steps: Int
    /// Steps of each worker that one poll brings.
    private let stepsPerRound: Int

    init(_ arguments: ProbeArguments) throws {
        workers = Int(try arguments.number("workers", default: 64))
        sequences = Int(try arguments.number("sequences", default: 64))
        steps = Int(try arguments.number("steps", default: 100))
        stepsPerRound = Int(try arguments.number("steps-per-round", default: 1))
    }

    private struct Carried {
        var leases: [WorkerID: [Lease]] = [:]
        var bundle = FrameBundle()
        var bytes = 0
        var frames = 0
        var events = 0
    }

    func run() throws {
        var broker = Broker(at: .zero)
        var carried = Carried()
        try fill(&broker, &carried)
        let bodies = (0..<steps).map { step in (1...workers).map { body(of: step, by: worker($0), carried) } }
        let begin = threadSeconds()
        var now = Instant.zero + .seconds(2)
        for first in stride(from: 0, to: steps, by: stepsPerRound) {
            now = now + .milliseconds(20)
            round(bodies[first..<min(first + stepsPerRound, steps)], &broker, &carried, at: now)
        }
        let seconds = threadSeconds() - begin
        let tokens = workers * sequences * steps
        try report([
            "workers": workers, "tokens": tokens, "seconds": seconds, "us_per_token": seconds * 1e6 / Double(tokens),
            "frames": carried.frames, "bytes": carried.bytes, "events": carried.events,
        ])
    }

    private func worker(_ number: Int) -> WorkerID { WorkerID(rawValue: UInt64(number)) }

    /// Gives every worker all the queries that it takes.
    private func fill(_ broker: inout Broker, _ carried: inout Carried) throws {
        broker.schedulerAttached(policy: "bench", at: .zero)
        for number in 1...workers {
            var profile = LatencyProfile(model: "bench", device: "none")
            profile.kvCache.capacityTokens = 1 << 30
            let joined = WorkerJoined(
                worker: worker(number),
                name: "bench",
                engine: "bench",
                contextLength: 1 << 20,
                resumesPrefix: true,
                batching: .chunked,
                profile: profile
            )
            broker.workerJoined(joined, at: .zero)
            broker.workerPulled(worker(number), granted: UInt64(sequences))
        }
        for number in 0..<workers * sequences {
            var submission = Submission(model: "bench", inputTokens: 1, promptBytes: 1, maxTokens: steps, request: [1])
            submission.durability = .volatile
            let stream = StreamKey(session: SessionID(rawValue: UInt64(number / 256 + 1)), stream: UInt64(number % 256 + 1))
            try broker.submit(submission, id: QueryID(high: 1, low: UInt64(number)), from: stream, at: .zero)
        }
        var next = 0
        let accepted = broker.takeActions(at: .zero)
        for action in accepted {
            guard case .tell(.queryQueued(let query)) = action else { continue }
            let placement = Placement(
                query: query.number,
                attempt: query.attempt,
                worker: worker(next % workers + 1),
                predictedTimeToFirstToken: nil,
                explanation: nil
            )
            broker.place(placement, at: .zero)
            next += 1
        }
        perform(accepted, &broker, &carried)
        perform(broker.takeActions(at: .zero), &broker, &carried)
    }

    private func body(of step: Int, by worker: WorkerID, _ carried: Carried) -> [UInt8] {
        let leases = carried.leases[worker] ?? []
        let report = StepReport(
            workload: StepWorkload(kind: .decode, decodeSequences: leases.count, contextTokens: leases.count * step),
            duration: .milliseconds(20),
            progress: leases.map { lease in
                let isLast = step + 1 == steps
                return LeaseProgress(
                    lease: lease,
                    tokens: TokensEvent(firstIndex: step, count: 1, ids: [42], text: " word"),
                    finished: isLast ? FinishedEvent(reason: .length, inputTokens: 1, outputTokens: steps) : nil
                )
            },
            waiting: 0,
            freeKVTokens: 1 << 20
        )
        return WorkerReport.step(report).encode()
    }

    private func round(
        _ steps: ArraySlice<[[UInt8]]>,
        _ broker: inout Broker,
        _ carried: inout Carried,
        at now: Instant
    ) {
        for bodies in steps {
            for (index, body) in bodies.enumerated() {
                guard let step = StepReader(body) else { preconditionFailure("a step of the usual form") }
                broker.workerStepped(worker(index + 1), WorkerStep(step), at: now)
            }
        }
        perform(broker.takeActions(at: now), &broker, &carried)
    }

    private func perform(_ actions: [BrokerAction], _ broker: inout Broker, _ carried: inout Carried) {
        var events: [ClusterEvent] = []
        for action in actions {
            switch action {
            case .announce(let stream):
                while let delivery = broker.nextDelivery(to: stream) {
                    guard let event = GenerateEvent(delivery) else { continue }
                    carried.bundle.append(
                        kind: .item,
                        method: .generate,
                        session: stream.session.rawValue,
                        stream: stream.stream,
                        event.append(to:)
                    )
                }
            case .tell(let event): events.append(event)
            case .dispatch(let worker, let assignments): carried.leases[worker, default: []] += assignments.map(\.lease)
            default: break
            }
        }
        carried.events += events.count
        if !events.isEmpty { carried.bytes += ClusterEvents(firstNumber: 1, events: events).encode().count }
        let bundle = carried.bundle.take()
        carried.frames += bundle.count
        carried.bytes += bundle.bytes.count
    }
}
