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
            let key = StreamKey(session: SessionID(rawValue: session), stream: stream)
            guard broker.cancel(key, at: PollLoop.now()) else { return }
            let status = Status(.cancelled, .cancelledByClient, "cancelled by the client")
            end(key, method(of: key), status, over: frontend)
            attachedStreams.remove(key)
        case .item:
            // Nothing follows a call here; a client that thinks so is not harmed by silence.
            break
        case .ended(let session):
            broker.sessionEnded(SessionID(rawValue: session), at: PollLoop.now())
            attachedStreams = attachedStreams.filter { $0.session.rawValue != session }
        }
    }

    private func call(_ stream: StreamKey, _ method: Method, _ body: [UInt8]) {
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
                attachedStreams.insert(stream)
            case .acknowledge:
                let request = try decoded(AcknowledgeRequest.self, body)
                let account = account(of: stream.session, on: frontend)
                try broker.acknowledge(try Self.identifier(request.queryID), as: account, at: PollLoop.now())
                answer(stream, method, [], over: frontend)
            case .cancelQuery:
                let request = try decoded(CancelRequest.self, body)
                let account = account(of: stream.session, on: frontend)
                try broker.cancel(try Self.identifier(request.queryID), as: account, at: PollLoop.now())
                answer(stream, method, [], over: frontend)
            case .listModels:
                answer(stream, method, modelList().encode(), over: frontend)
            default:
                throw Status(.unimplemented, .unsupported, "no such method here")
            }
        } catch {
            end(stream, method, error, over: frontend)
        }
    }

    private static func identifier(_ text: String) throws(Status) -> QueryID {
        guard let id = QueryID(text) else {
            throw Status(.invalidArgument, .malformed, "query_id is not a query's identifier")
        }
        return id
    }

    private func generate(_ stream: StreamKey, _ body: [UInt8]) throws(Status) {
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
        var submission = try Submission(
            model: request.model,
            input: request.input,
            maxTokens: request.maxTokens,
            sampling: request.sampling,
            metadata: request.metadata.map { ($0.key, $0.value) },
            request: body,
            configuration: configuration.broker
        )
        try submission.charge(account(of: stream.session, on: frontend))
        if submission.idempotencyKey != nil { submission.requestHash = Self.hash(request) }
        try broker.submit(submission, id: makeQueryID(), from: stream, at: PollLoop.now())
    }

    /// Of all that makes one request the same as another: metadata, such as trace contexts, may differ.
    private static func hash(_ request: GenerateRequest) -> UInt64 {
        var asked = request
        asked.metadata = []
        var hash = FNV1a()
        hash.combine(asked.encode())
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
    func decoded<Message: WireMessage>(_ type: Message.Type, _ body: [UInt8]) throws(Status) -> Message {
        do throws(DecodingFailure) {
            return try Message.decode(body)
        } catch {
            throw Status(.invalidArgument, .malformed, error.description)
        }
    }
}
