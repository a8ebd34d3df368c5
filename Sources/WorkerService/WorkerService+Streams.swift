internal import EngineInterface
internal import Logging
internal import Messages
internal import ServingModel
internal import Sessions
internal import ZeroMQ

/// The life of a worker whose engine batches for itself.
///
/// Engines of this kind come and go while the worker stays. When its engine is gone the worker drains: first it tells the
/// broker to send nothing more, then it gives back what it has, so that nothing of it comes straight back. When there is an
/// engine again it registers anew, with what that engine says of itself.
extension WorkerService {
    /// Lets the loop look at what the engine tells.
    func watchMailbox() {
        loop.onCycle = { [unowned self] now in assumeIsolated { $0.cycle(at: now) } }
        mailbox.open(for: loop)
    }

    /// Takes in what the engine has told, and asks of it what is to be asked.
    ///
    /// - Returns: when to call again at the latest.
    func driveStreams(at now: Instant) -> Instant {
        guard let engine = streamingEngine else { return .distantFuture }
        for event in mailbox.take() {
            switch event {
            case .condition(let condition): take(condition)
            case .tokens(let id, let tokens, let time): streams?.came(tokens, of: id, at: time)
            case .ended(let id, let result, let time):
                answers[id] = nil
                streams?.ended(id, result, at: time)
            }
        }
        for command in streams?.takeCommands(at: now) ?? [] {
            switch command {
            case .start(let id): start(id, on: engine)
            case .stop(let id): answers[id]?.cancel()
            }
        }
        report(computed: nil)
        return streams?.nextDue(at: now) ?? .distantFuture
    }

    /// Ends what is still being answered; returns when nothing is.
    func endAnswers() async {
        let tasks = answers.values
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    private func take(_ condition: EngineCondition) {
        switch condition {
        case .ready(let description):
            do throws(Status) {
                try description.validate()
            } catch {
                logger.error("the engine's description cannot be used", metadata: ["why": "\(error.message)"])
                return
            }
            logger.info("engine ready", metadata: ["model": "\(description.model)"])
            streams = StreamMachine(description: description, after: streams)
            isReady = true
            joinAnew()
        case .unavailable(let status):
            isReady = false
            streams?.becameUnavailable(status)
            if isRegistered {
                connection?.send(.item, method: .work, stream: 1, WorkerReport.drain)
            }
        case .load(let load):
            streams?.loaded(load)
        }
    }

    /// Registers what the engine is now; a registration cannot be changed, so a session that has one is ended.
    private func joinAnew() {
        guard let connection else {
            do throws(ZeroMQError) {
                try connect()
            } catch {
                logger.error("cannot connect", metadata: ["error": "\(error)"])
            }
            return
        }
        isRegistered = false
        connection.restart(Status(.unavailable, .none, "the worker's engine has changed"))
    }

    private func start(_ id: SequenceID, on engine: any StreamingEngine) {
        guard let request = streams?.request(id) else { return }
        // Not a child task, since each has to be cancelled by itself; `endAnswers` waits for those that are left.
        answers[id] = Task(executorPreference: taskExecutor) { [mailbox] in
            do throws(Status) {
                let end = try await engine.answer(request) { mailbox.put(.tokens(id, $0, at: PollLoop.now())) }
                mailbox.put(.ended(id, .success(end), at: PollLoop.now()))
            } catch {
                mailbox.put(.ended(id, .failure(error), at: PollLoop.now()))
            }
        }
    }
}
