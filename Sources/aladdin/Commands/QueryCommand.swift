internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import Foundation
internal import Logging
internal import ServiceLifecycle
internal import ServiceSettings
internal import ServingModel

struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Sends one query over ZeroMQ and prints the answer as it comes."
    )

    @Argument(help: "What to ask.")
    var text: String?

    @Option(help: "Read the answer of a query that was accepted before, instead of asking: its identifier.")
    var attach: String?

    @Option(help: "The model to ask. (default: the only one served)")
    var model: String = ""

    @Option(
        parsing: .unconditional,
        help: "Output tokens at most. (default: 256)",
        transform: SettingForm.integer(1...10_000_000).argument
    )
    var maxTokens = 256

    @Option(
        parsing: .unconditional,
        help: "0 is greedy. (default: 0)",
        transform: SettingForm.number(0...100, of: "").argument
    )
    var temperature = 0.0

    @Option(
        parsing: .unconditional,
        help: "Time to first token wanted, in milliseconds.",
        transform: SettingForm.milliseconds.argument
    )
    var ttftMs: Double?

    @Option(
        parsing: .unconditional,
        help: "Average time per further token wanted, in milliseconds.",
        transform: SettingForm.milliseconds.argument
    )
    var atgtMs: Double?

    @Option(
        parsing: .unconditional,
        help: "Higher goes first; negative may be shed.",
        transform: SettingForm.integer(-1000...1000).argument
    )
    var priority: Int?

    @Option(help: "On whose account.")
    var tenant: String?

    @Option(help: "Your own name for the query: asked again under the same name, it is not run twice.")
    var idempotencyKey: String?

    @Option(help: "What of it outlives the broker: volatile, accept or stream. (default: accept)")
    var durability: String?

    @Flag(help: "Continue the text instead of answering it.")
    var complete = false

    @Flag(help: "Print one JSON object when the answer is complete.")
    var json = false

    @OptionGroup var endpoints: PeerOptions
    @OptionGroup var shardRule: ShardRuleOptions
    @OptionGroup var key: KeyOptions

    func validate() throws {
        guard (text == nil) != (attach == nil) else {
            throw ValidationError("give either a text to ask, or --attach with a query's identifier")
        }
        if let durability, Durability(rawValue: durability) == nil {
            throw ValidationError("--durability is '\(durability)'; it must be volatile, accept or stream")
        }
    }

    func run() async throws {
        let key = try key.clientKey(for: .frontend)
        let client = try endpoints.client("aladdin query", key: key, rule: shardRule, logger: .silent)
        let outcome: Result<QueryResult, Status> = await withTaskGroup { group in
            group.addTask { try? await client.run() }
            let outcome = await ask(client)
            group.cancelAll()
            return outcome
        }
        switch outcome {
        case .success(let result):
            Terminal.write((json ? try result.json() : "") + "\n")
        case .failure(var status):
            let endpoint = status.isUnanswered ? try? endpoints.frontend() : nil
            if let endpoint { status.message += " at \(endpoint)" }
            if json { Terminal.write(try QueryResult.json(status) + "\n") }
            Terminal.complain("\(status.message) (\(status.code), \(status.reason.label))")
            if let endpoint, let hint = KeyOptions.diagnosis(of: status, at: endpoint, key) { Terminal.complain(hint) }
            throw ExitCode(Self.isOfInput(status) ? 2 : 1)
        }
    }

    /// Whether another query would not have failed so, rather than another service.
    private static func isOfInput(_ status: Status) -> Bool {
        switch status.code {
        case .invalidArgument, .outOfRange, .notFound, .alreadyExists: true
        default: false
        }
    }

    private func ask(_ client: any QueryService) async -> Result<QueryResult, Status> {
        var result = QueryResult(sentAt: ContinuousClock.now)
        var notice: Task<Void, any Error>?
        defer { notice?.cancel() }
        do {
            for try await event in events(from: client) {
                result.take(event)
                switch event {
                case .accepted(let id): notice = Self.noticeOfWaiting(id)
                case .started, .tokens, .finished: notice?.cancel()
                case .reset: break
                }
                if !json, case .tokens(_, _, _, let text) = event { Terminal.write(text) }
                if !json, case .reset = event { Terminal.write("\n[the answer starts over]\n") }
            }
            return .success(result)
        } catch let status as Status {
            return .failure(status)
        } catch {
            return .failure(Status(.unknown, .none, "\(error)"))
        }
    }

    /// Says that nothing is wrong here if nothing happens for a while.
    private static func noticeOfWaiting(_ id: String) -> Task<Void, any Error> {
        Task {
            try await Task.sleep(for: .seconds(3))
            Terminal.complain("accepted, and waits for a worker; 'aladdin query --attach \(id)' hears its answer later")
        }
    }

    private func events(from client: any QueryService) -> QueryStream {
        if let attach { return client.attach(to: attach, from: 0, tenant: tenant) }
        let text = text ?? ""
        let input = complete ? PromptInput.text(text) : .chat([ChatMessage(role: "user", content: text)])
        var metadata: [(key: String, value: String)] = []
        if let ttftMs { metadata.append(("x-slo-ttft-ms", "\(ttftMs)")) }
        if let atgtMs { metadata.append(("x-slo-tpot-ms", "\(atgtMs)")) }
        if let priority { metadata.append(("x-aladdin-priority", "\(priority)")) }
        if let tenant { metadata.append(("x-aladdin-tenant", tenant)) }
        if let idempotencyKey { metadata.append(("idempotency-key", idempotencyKey)) }
        if let durability { metadata.append(("x-aladdin-durability", durability)) }
        let request = QueryRequest(
            model: model,
            input: input,
            maxTokens: maxTokens,
            sampling: Sampling(temperature: temperature),
            metadata: metadata
        )
        return client.generate(request)
    }
}

/// All that was heard of one query.
struct QueryResult {
    let sentAt: ContinuousClock.Instant
    private(set) var id = ""
    private(set) var worker = ""
    private(set) var attempts = 0
    private(set) var text = ""
    private(set) var predicted: Interval?
    private(set) var firstToken: ContinuousClock.Instant?
    private(set) var lastToken: ContinuousClock.Instant?
    private(set) var finish: FinishReason?
    private(set) var inputTokens = 0
    private(set) var outputTokens = 0

    init(sentAt: ContinuousClock.Instant) {
        self.sentAt = sentAt
    }

    mutating func take(_ event: QueryEvent) {
        switch event {
        case .accepted(let id):
            self.id = id
        case .started(let worker, let attempt, let predicted):
            self.worker = worker
            attempts = attempt
            self.predicted = predicted
        case .tokens(_, _, _, let text):
            lastToken = ContinuousClock.now
            firstToken = firstToken ?? lastToken
            self.text += text
        case .reset:
            text = ""
        case .finished(let reason, let inputTokens, let outputTokens):
            finish = reason
            self.inputTokens = inputTokens
            self.outputTokens = outputTokens
        }
    }

    func json() throws -> String {
        var object: [String: Any] = [
            "query_id": id, "worker": worker, "attempts": attempts, "text": text,
            "finish_reason": finish == .length ? "length" : "stop",
            "input_tokens": inputTokens, "output_tokens": outputTokens,
        ]
        if let predicted { object["predicted_ttft_ms"] = predicted.milliseconds }
        if let firstToken { object["ttft_ms"] = (firstToken - sentAt).milliseconds }
        if let firstToken, let lastToken, outputTokens > 1 {
            object["atgt_ms"] = (lastToken - firstToken).milliseconds / Double(outputTokens - 1)
        }
        return try Terminal.json(object)
    }

    static func json(_ status: Status) throws -> String {
        var error: [String: Any] = [
            "code": "\(status.code)", "reason": status.reason.label, "message": status.message,
        ]
        if let retryAfter = status.retryAfter { error["retry_after_s"] = retryAfter.seconds }
        return try Terminal.json(["error": error])
    }
}

extension Duration {
    var milliseconds: Double { Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15 }
}

extension Logger {
    /// For commands whose only words are their answer.
    static var silent: Logger { Logger(label: "aladdin") { _ in SwiftLogNoOpLogHandler() } }
}
