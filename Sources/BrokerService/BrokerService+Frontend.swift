internal import Brokering
internal import Messages
internal import ServingModel
internal import Sessions
internal import ZeroMQ

extension BrokerService {
    func frontendSent(_ input: SessionEndpoint.Input) {
        switch input {
        case .call(let session, let stream, let method, let body):
            call(StreamKey(session: SessionID(rawValue: session), stream: stream), method, body)
        case .cancel(let session, let stream):
            giveUp(StreamKey(session: SessionID(rawValue: session), stream: stream), over: frontend)
        case .item:
            // Nothing follows a call here; a client that thinks so is not harmed by silence.
            break
        case .ended(let session):
            clientEnded(SessionID(rawValue: session))
        }
    }

    /// A client wants no answer to a call any more.
    func giveUp(_ stream: StreamKey, over endpoint: SessionEndpoint?) {
        guard broker.cancel(stream, at: PollLoop.now()) else { return }
        let status = Status(.cancelled, .cancelledByClient, "cancelled by the client")
        end(stream, method(of: stream), status, over: endpoint)
        methods[stream] = nil
    }

    func clientEnded(_ session: SessionID) {
        broker.sessionEnded(session, at: PollLoop.now())
        methods = methods.filter { $0.key.session != session }
    }

    private func call(_ stream: StreamKey, _ method: Method, _ body: FrameBody) {
        do throws(Status) {
            switch method {
            case .generate:
                try generate(stream, body)
            case .attach:
                let request = try decoded(AttachRequest.self, body)
                let account = try account(of: stream.session, on: frontend).acting(for: request.tenant)
                let attachment = Attachment(
                    query: try Self.identifier(request.queryID),
                    firstIndex: request.firstIndex,
                    seenAttempt: request.seenAttempt,
                    account: account
                )
                try broker.attach(attachment, by: stream)
                methods[stream] = method
            case .acknowledge:
                let request = try decoded(AcknowledgeRequest.self, body)
                let account = try account(of: stream.session, on: frontend).acting(for: request.tenant)
                let id = try Self.identifier(request.queryID)
                let isDone = try broker.acknowledge(id, as: account, by: stream, at: PollLoop.now())
                answer(stream, method, isDone: isDone)
            case .cancelQuery:
                let request = try decoded(CancelRequest.self, body)
                let account = try account(of: stream.session, on: frontend).acting(for: request.tenant)
                let id = try Self.identifier(request.queryID)
                let isDone = try broker.cancel(id, as: account, by: stream, at: PollLoop.now())
                answer(stream, method, isDone: isDone)
            case .listModels:
                answer(stream, method, body: modelList().encode(), over: frontend)
            default:
                throw Status(.unimplemented, .unsupported, "no such method here")
            }
        } catch {
            end(stream, method, error, over: frontend)
        }
    }

    /// Answers a call that has no more to say, now or when the journal has told the broker what it needs.
    private func answer(_ stream: StreamKey, _ method: Method, isDone: Bool) {
        if isDone { answer(stream, method, body: [], over: frontend) } else { methods[stream] = method }
    }

    private static func identifier(_ text: String) throws(Status) -> QueryID {
        guard let id = QueryID(text) else {
            throw Status(.invalidArgument, .malformed, "query_id is not a query's identifier")
        }
        return id
    }

    private func generate(_ stream: StreamKey, _ body: FrameBody) throws(Status) {
        let request = try decoded(GenerateRequest.self, body)
        let limits = configuration.sessions.limits
        let metadataBytes = request.metadata.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard request.metadata.count <= limits.metadataEntries, metadataBytes <= limits.metadataBytes else {
            throw Status(
                .invalidArgument,
                .invalidMetadata,
                "metadata may have \(limits.metadataEntries) entries and \(limits.metadataBytes) bytes"
            )
        }
        // A request that names itself is told from others by all of its prompt, of which one reading is enough.
        let isNamed = request.metadata.contains { $0.key == MetadataKey.idempotencyKey }
        let prompt = isNamed ? PromptBlocks.digest(of: request.input) : nil
        var submission = try Submission(
            model: request.model,
            input: request.input,
            blocks: prompt?.hashes,
            maxTokens: request.maxTokens,
            sampling: request.sampling,
            metadata: request.metadata.map { ($0.key, $0.value) },
            request: Self.kept(request, body),
            configuration: broker.configuration
        )
        try submission.charge(account(of: stream.session, on: frontend))
        if let prompt { submission.requestHash = Self.hash(request, prompt: prompt.whole) }
        try broker.submit(submission, id: makeQueryID(), from: stream, at: PollLoop.now())
    }

    /// The request as it is kept and handed on: what came as bytes takes less memory as these.
    private static func kept(_ request: GenerateRequest, _ body: FrameBody) -> OpaqueRequest {
        switch body {
        case .bytes(let bytes): OpaqueRequest(bytes)
        case .message: OpaqueRequest(request)
        }
    }

    /// Of all that makes one request the same as another: metadata, such as trace contexts, may differ.
    private static func hash(_ request: GenerateRequest, prompt: UInt64) -> UInt64 {
        var asked = request
        asked.metadata = []
        asked.input = .text("")
        var hash = FNV1a()
        hash.combine(asked.encode())
        let kind: UInt8 =
            switch request.input {
            case .text: 0
            case .chat: 1
            case .tokens: 2
            }
        hash.combine([kind])
        withUnsafeBytes(of: prompt.littleEndian) { hash.combine($0) }
        return hash.value
    }

    private func modelList() -> ModelList {
        ModelList(
            models: broker.modelOrder.compactMap { name in
                guard let model = broker.model(name), model.workers > 0 else { return nil }
                return ModelEntry(
                    name: name,
                    workers: model.workers,
                    contextLength: model.contextLength,
                    engine: broker.engine(of: name)
                )
            }
        )
    }

    /// Decodes a request, or says what is wrong with it in a client's terms.
    func decoded<Message: WireMessage>(_ type: Message.Type, _ body: FrameBody) throws(Status) -> Message {
        do throws(DecodingFailure) {
            return try body.decoded(as: type)
        } catch {
            throw Status(.invalidArgument, .malformed, error.description)
        }
    }
}
