import EngineInterface
import Messages
import ServingModel
import Testing
import WorkerService

/// A worker machine with its engine, turned by hand.
struct WorkerRig {
    var machine: WorkerMachine
    let engine: ScriptedEngine
    /// The grant last told.
    private(set) var granted: UInt64 = 0

    init(
        mode: BatchingMode = .chunked,
        engine: ScriptedEngine = ScriptedEngine(),
        handoverBytes: Int = 0,
        bytesPerToken: Double = 1
    ) {
        self.engine = engine
        machine = WorkerMachine(
            description: engine.description,
            mode: mode,
            handoverBytes: handoverBytes,
            bytesPerToken: bytesPerToken
        )
    }

    mutating func take(_ lease: UInt64, prompt: Int = 4, maxTokens: Int = 3, resumed: Int = 0) {
        machine.take(.sample(lease, prompt: prompt, maxTokens: maxTokens, resumed: resumed))
    }

    mutating func next() -> EngineTurn? { machine.nextTurn() }

    /// One whole turn.
    ///
    /// - Returns: nil if there was nothing to do.
    mutating func turn() -> [LeaseProgress]? {
        guard let turn = machine.nextTurn() else { return nil }
        machine.turnEnded(turn, engine.run(turn))
        _ = machine.noteHandovers(at: .zero)
        return reports(after: turn)
    }

    mutating func reports(after turn: EngineTurn? = nil) -> [LeaseProgress] {
        var progress: [LeaseProgress] = []
        for report in machine.takeReports(computed: turn?.step.map { ($0.workload, .milliseconds(1)) }) {
            switch report {
            case .step(let step): progress += step.progress
            case .pull(let granted): self.granted = granted
            default: Issue.record("a machine reports steps and pulls")
            }
        }
        return progress
    }

    /// Turns until nothing is left to do.
    mutating func finish() -> [LeaseProgress] {
        var progress = reports()
        var turns = 0
        while let more = turn() {
            progress += more
            turns += 1
            guard turns < 10_000 else {
                Issue.record("the worker does not come to rest")
                break
            }
        }
        return progress
    }

    /// Nothing is held any more, neither here nor in the engine.
    func expectEmpty(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(machine.count == 0, sourceLocation: sourceLocation)
        #expect(engine.held.isEmpty, sourceLocation: sourceLocation)
        #expect(engine.violations.isEmpty, sourceLocation: sourceLocation)
    }
}

extension WorkerQuery {
    /// A query with its lease as the seed; a prompt of no tokens is refused by the engine.
    static func sample(_ lease: UInt64, prompt: Int = 4, maxTokens: Int = 3, resumed: Int = 0) -> WorkerQuery {
        let request = GenerateRequest(
            input: .tokens([Int32](repeating: 1, count: max(prompt, 1))),
            maxTokens: maxTokens
        )
        let assignment = WireAssignment(
            lease: Lease(rawValue: lease),
            queryID: QueryID(high: 1, low: lease).description,
            attempt: 1,
            remaining: nil,
            request: OpaqueRequest(request.encode()),
            resumedTokens: (0..<resumed).map { ScriptedEngine.token(lease, $0) }
        )
        guard var query = try? WorkerQuery(assignment) else { preconditionFailure("an assignment that cannot be read") }
        query.defaultSeed = lease
        if prompt == 0 { query.input = .tokens([]) }
        return query
    }
}

extension [LeaseProgress] {
    /// Token identifiers of one lease, in order; nil if an index is missing or repeated.
    func tokens(of lease: UInt64, from first: Int = 0) -> [Int32]? {
        var ids: [Int32] = []
        for progress in self where progress.lease.rawValue == lease {
            guard let tokens = progress.tokens else { continue }
            guard tokens.firstIndex == first + ids.count, tokens.count == tokens.ids.count else { return nil }
            ids += tokens.ids
        }
        return ids
    }

    func ends(of lease: UInt64) -> Int {
        count { $0.lease.rawValue == lease && ($0.finished != nil || $0.failed != nil) }
    }

    func failure(of lease: UInt64) -> Status? {
        first { $0.lease.rawValue == lease && $0.failed != nil }?.failed
    }
}

/// The tokens that must come.
func expected(_ lease: UInt64, _ range: Range<Int>) -> [Int32] { range.map { ScriptedEngine.token(lease, $0) } }
