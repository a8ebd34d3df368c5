package import EngineInterface
internal import HTTPTransfers
internal import Logging
internal import ServingModel
internal import Synchronization

extension UpstreamEngine {
    /// Answers of a server that is alive but slow may be this late, so many times in a row.
    private static let toleratedDelays = 3
    private static let longestPause = Interval.seconds(5)
    private static let patience = Interval.seconds(5)
    private static let patienceInDoubt = Interval.seconds(2)

    package func watch(_ report: @escaping @Sendable (EngineCondition) -> Void) async {
        client.start()
        while !Task.isCancelled {
            guard let found = await discover() else { break }
            let description = found.description(configuration)
            account.withLock { $0 = found }
            logger.info(
                "server found",
                metadata: [
                    "url": "\(configuration.url)", "is": "\(found.kind.rawValue)", "model": "\(found.model)",
                    "context": "\(description.contextLength)",
                    "kv_tokens": "\(description.profile.kvCache.capacityTokens)",
                    "sequences": "\(description.profile.limits.maximumSequences)",
                ]
            )
            for words in found.assumptions(configuration) {
                logger.notice("the server does not say; assumed", metadata: ["what": "\(words)"])
            }
            report(.ready(description))
            let status = await follow(found, description, report)
            account.withLock { $0 = nil }
            guard let status, !Task.isCancelled else { break }
            logger.warning(
                "the server is gone; trying again until it is back",
                metadata: ["url": "\(configuration.url)", "why": "\(status.message)"]
            )
            report(.unavailable(status))
            for doubt in doubts.take() { doubt.resume() }
        }
        doubts.close()
        await client.stop()
    }

    /// Looks for the server until it is there; nil if the task was cancelled first.
    private func discover() async -> ServerAccount? {
        var pause = configuration.pollInterval
        var told = ""
        while !Task.isCancelled {
            do throws(Status) {
                return try await ask(within: Self.patience)
            } catch {
                // Once for each reason, so that a long outage does not fill the log.
                if error.message != told {
                    told = error.message
                    logger.warning(
                        "waiting for the server",
                        metadata: ["url": "\(configuration.url)", "why": "\(error.message)"]
                    )
                }
            }
            for doubt in doubts.take() { doubt.resume() }
            try? await Task.sleep(for: .nanoseconds(pause.nanoseconds))
            pause = min(pause + pause, max(Self.longestPause, configuration.pollInterval))
        }
        return nil
    }

    /// Asks the server for all that it says of itself.
    private func ask(within limit: Interval) async throws(Status) -> ServerAccount {
        let models = try await get("/v1/models", within: limit)
        var account = try ServerAccount(models: models, wanted: configuration.model)
        if account.kind == .llamaCpp, let properties = try? await get("/props", within: limit) {
            account.take(properties: properties)
        }
        if let metrics = try? await get("/metrics", within: limit) { account.take(PrometheusSamples(metrics)) }
        return account
    }

    /// Asks once in a while, and at once when somebody doubts, how the server does.
    ///
    /// - Returns: why it can serve no longer; nil if the task was cancelled.
    private func follow(
        _ found: ServerAccount,
        _ description: EngineDescription,
        _ report: @Sendable (EngineCondition) -> Void
    ) async -> Status? {
        var delays = 0
        while !Task.isCancelled {
            await pause()
            let doubters = doubts.take()
            do throws(Status) {
                // Whoever doubts may have met a server that was exchanged for another in between.
                let limit = doubters.isEmpty ? Self.patience : Self.patienceInDoubt
                if !doubters.isEmpty, try await ask(within: limit) != found {
                    throw Status(.unavailable, .engineFailed, "it is another server now, or serves something else")
                }
                let answer = try await get(found.hasMetrics ? "/metrics" : "/v1/models", within: limit)
                delays = 0
                if found.hasMetrics {
                    let capacity = description.profile.kvCache.capacityTokens
                    report(.load(ServerAccount.load(PrometheusSamples(answer), kvCapacityTokens: capacity)))
                }
            } catch {
                // One that answers late while answers fail is not only slow.
                let isSlow = error.code == .deadlineExceeded && doubters.isEmpty
                delays = isSlow ? delays + 1 : Self.toleratedDelays
                if delays >= Self.toleratedDelays, !Task.isCancelled {
                    // Whoever doubts hears of it after the worker does.
                    doubts.putBack(doubters)
                    return error
                }
            }
            for doubter in doubters { doubter.resume() }
        }
        return nil
    }

    /// Returns after the poll interval, or when somebody doubts.
    private func pause() async {
        let interval = configuration.pollInterval
        await withTaskGroup { group in
            group.addTask { await self.doubts.next() }
            group.addTask { try? await Task.sleep(for: .nanoseconds(interval.nanoseconds)) }
            await group.next()
            group.cancelAll()
        }
    }

    /// - Throws: a `Status` in words for the log; `.deadlineExceeded` if only patience ran out.
    private func get(_ path: String, within limit: Interval) async throws(Status) -> [UInt8] {
        var request = httpRequest(path)
        request.timeout = limit
        let answer: HTTPAnswer
        do throws(TransferFailure) {
            answer = try await client.fetch(request)
        } catch {
            throw Status(error.kind == .timedOut ? .deadlineExceeded : .unavailable, .engineFailed, error.description)
        }
        switch answer.status {
        case 200: return answer.body
        case 401, 403:
            throw Status(
                .unavailable,
                .engineFailed,
                "it refuses the API key (HTTP status \(answer.status) to \(path))"
            )
        case 404:
            let message = "it does not know \(path): is this the address of a server with OpenAI's interface?"
            throw Status(.unavailable, .engineFailed, message)
        default: throw Status(.unavailable, .engineFailed, "HTTP status \(answer.status) to \(path)")
        }
    }
}
