package import AladdinClient
package import Logging
internal import Messages
internal import ServiceLifecycle
package import ServingModel
internal import ZeroMQ

/// Follows the scheduler's wishes for one model: asks the broker for them once a second, and has an actuator act.
///
/// What it can't find out it leaves as it is: without a broker, a scheduler or an answer of the actuator nothing changes.
package actor FleetControlService: Service {
    package struct Configuration: Sendable {
        /// Nil for the only model there is, or the first.
        package var model: String?
        /// Which of its workers, where there are some for one phase alone.
        package var role = WorkerRole.both
        package var adminEndpoint = "tcp://127.0.0.1:5553"
        package var key: ClientKey?
        package var settings = FleetController.Settings()
        /// Workers to begin with, whatever the load; nil for those that there are.
        package var initialWorkers: Int?
        /// Only says what it would do.
        package var isDryRun = false
        /// Where decisions are written down, and what came of them.
        package var log: DecisionLog?

        package init() {}
    }

    private let configuration: Configuration
    private let actuator: any Actuator
    private let logger: Logger
    private let onDecision: @Sendable (FleetController.Decision) -> Void
    private var controller: FleetController
    private var lastComplaint = ""
    private var lastAdvice: FleetController.Decision?
    private var lastFailure: DecisionLog.Entry?

    /// - Parameter onDecision: told every decision, carried out or not.
    package init(
        configuration: Configuration,
        actuator: any Actuator,
        logger: Logger,
        onDecision: @escaping @Sendable (FleetController.Decision) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.actuator = actuator
        self.logger = logger
        self.onDecision = onDecision
        controller = FleetController(configuration.settings)
    }

    /// Keeps to other limits from now on.
    package func reconfigure(_ settings: FleetController.Settings) {
        controller.settings = settings
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await self.begin()
            while !Task.isCancelled {
                await self.step()
                try? await Task.sleep(for: .seconds(1))
            }
        }
        await actuator.close()
    }

    private func begin() async {
        guard let initial = configuration.initialWorkers, !configuration.isDryRun else { return }
        do {
            guard try await actuator.size() < initial else { return }
            try await actuator.resize(to: initial, sparing: [])
        } catch {
            complain("\(error)")
        }
    }

    private func step() async {
        let status = await status()
        do {
            let size = try await actuator.size()
            let wish = self.wish(in: status)
            guard let decision = controller.decide(wish, size: size, at: PollLoop.now()) else { return }
            guard !configuration.isDryRun else { return advise(decision, wish) }
            tell(decision, "scaling")
            try await carryOut(decision, wish, sparing: spare(in: status))
            lastComplaint = ""
        } catch {
            complain("\(error)")
        }
    }

    private func carryOut(
        _ decision: FleetController.Decision,
        _ wish: FleetWish?,
        sparing spare: [String]
    ) async throws {
        do {
            try await actuator.resize(to: decision.to, sparing: spare)
            lastFailure = nil
            note(decision, wish, "done")
        } catch {
            note(decision, wish, "failed", error: "\(error)")
            throw error
        }
    }

    /// Writes a decision down; what fails again and again for one reason, once.
    private func note(
        _ decision: FleetController.Decision,
        _ wish: FleetWish?,
        _ outcome: String,
        error: String? = nil
    ) {
        guard let log = configuration.log else { return }
        let entry = DecisionLog.Entry(
            decision: decision,
            wish: wish,
            actuator: actuator.name,
            outcome: outcome,
            error: error
        )
        if error != nil {
            let isKnown =
                lastFailure?.error == error && lastFailure?.decision.from == decision.from
                && lastFailure?.decision.to == decision.to
            guard !isKnown else { return }
            lastFailure = entry
        }
        do throws(ActuationError) {
            try log.write(entry)
        } catch {
            complain(error.description)
        }
    }

    private func status() async -> ClusterStatus? {
        let silent = Logger(label: "aladdin") { _ in SwiftLogNoOpLogHandler() }
        let admin = AdminClient(endpoint: configuration.adminEndpoint, key: configuration.key, logger: silent)
        do throws(Status) {
            return try await admin.status(patience: .seconds(2))
        } catch {
            complain("\(Self.silence)\(error.message)")
            return nil
        }
    }

    /// What there is now, and of which model: an empty name if that is not known yet.
    package static func present(
        _ configuration: Configuration,
        logger: Logger
    ) async throws(ActuationError) -> (
        model: String, size: Int
    ) {
        let admin = AdminClient(endpoint: configuration.adminEndpoint, key: configuration.key, logger: logger)
        do throws(Status) {
            let status = try await admin.status(patience: .seconds(2))
            // A model whose workers have all gone is still known, but not wished for.
            let wished = status.fleets.first { $0.role == configuration.role }?.model
            guard let model = configuration.model ?? wished ?? status.models.first?.model else { return ("", 0) }
            return (model, status.workers.count { $0.isOf(model, configuration.role) })
        } catch {
            throw ActuationError("\(silence)\(error.message)")
        }
    }

    private static let silence = "no word from the broker: "

    private func wish(in status: ClusterStatus?) -> FleetWish? {
        guard let status else { return nil }
        return status.fleets.first { fleet in
            fleet.role == configuration.role && (configuration.model ?? fleet.model) == fleet.model
        }
    }

    /// Workers by how well they can be spared: those with the least to do first, of these the latest to join.
    private func spare(in status: ClusterStatus?) -> [String] {
        guard let status, let model = configuration.model ?? wish(in: status)?.model else { return [] }
        let workers = status.workers.filter { $0.isOf(model, configuration.role) }
        let sorted = workers.sorted { (left: WorkerStatus, right: WorkerStatus) -> Bool in
            left.load == right.load ? left.worker > right.worker : left.load < right.load
        }
        return sorted.map(\.name)
    }

    /// Advice is told once, not every second.
    private func advise(_ decision: FleetController.Decision, _ wish: FleetWish?) {
        guard lastAdvice?.from != decision.from || lastAdvice?.to != decision.to else { return }
        lastAdvice = decision
        note(decision, wish, "advised")
        tell(decision, "scaling advised (dry run)")
    }

    private func tell(_ decision: FleetController.Decision, _ what: String) {
        logger.info(
            "\(what)",
            metadata: [
                "from": "\(decision.from)", "to": "\(decision.to)", "why": "\(decision.reason)",
                "load": "\((decision.offeredLoad * 10).rounded() / 10)", "of": "\(actuator.name)",
            ]
        )
        onDecision(decision)
    }

    private func complain(_ words: String) {
        guard words != lastComplaint else { return }
        lastComplaint = words
        logger.warning("scaling", metadata: ["why": "\(words)"])
    }
}

extension WorkerStatus {
    fileprivate func isOf(_ model: String, _ role: WorkerRole) -> Bool {
        !isDraining && self.role == role && profile.model == model
    }

    /// All that it has not finished.
    fileprivate var load: Int { queued + waiting + running }
}
