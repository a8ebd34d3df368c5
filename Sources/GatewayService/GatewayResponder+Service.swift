internal import AladdinClient
internal import HTTPTypes
internal import Hummingbird
internal import ServingModel
internal import Telemetry

/// What the service says of itself: models, health, metrics.
extension GatewayResponder {
    /// `GET /v1/models`: OpenAI's list, with some fields of our own.
    func models(_ context: GatewayContext) async throws -> Response {
        let models = try await servedModels(context)
        var json = JSONWriter()
        json.object { json in
            json.field("object", "list")
            json.field("data")
            json.array { json in
                for model in models { write(model, to: &json) }
            }
        }
        return .json(json.buffer)
    }

    /// `GET /v1/models/ID`: one model.
    func model(_ name: String, _ context: GatewayContext) async throws -> Response {
        guard let model = try await servedModels(context).first(where: { $0.name == name }) else {
            throw APIError(Status(.notFound, .unknownModel, "No worker serves a model called '\(name)'."))
        }
        var json = JSONWriter()
        write(model, to: &json)
        return .json(json.buffer)
    }

    /// `GET /health`: the process answers, nothing more.
    func health() -> Response {
        .json(ByteBuffer(string: #"{"status":"ok"}"#))
    }

    /// `GET /ready`: whether a query sent now could be answered.
    func ready(_ context: GatewayContext) async -> Response {
        var models: [ServedModel] = []
        var problem: String?
        if draining.isRaised {
            problem = "The gateway is shutting down."
        } else if await !service.isConnected {
            problem = "The gateway has no connection to the broker."
        } else {
            do {
                models = try await servedModels(context)
                if models.isEmpty { problem = "No worker serves a model yet." }
            } catch {
                problem = APIError(error).message
            }
        }
        var json = JSONWriter()
        json.object { json in
            json.field("status", problem == nil ? "ready" : "unavailable")
            if let problem { json.field("reason", problem) }
            json.field("models")
            json.array { json in
                for model in models { json.value(model.name) }
            }
        }
        return .json(json.buffer, status: problem == nil ? .ok : .serviceUnavailable)
    }

    /// `GET /metrics`: Prometheus' text format.
    func metricsPage() async -> Response {
        let text = metrics.registry.exposition() + (await cluster.metrics())
        return Response(
            status: .ok,
            headers: [.contentType: MetricRegistry.expositionContentType],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    /// `GET /v1/cluster`: the broker's view of the cluster, as `aladdin status --json` has it.
    func clusterStatus() async throws -> Response {
        do {
            var response = Response.json(ByteBuffer(string: try await cluster.status()))
            response.headers[.cacheControl] = "no-store"
            return response
        } catch {
            throw APIError(error)
        }
    }

    /// `GET /`: the cluster as people want to see it.
    func page() -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .contentSecurityPolicy: ClusterPage.policy,
                .cacheControl: "no-cache", .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody(byteBuffer: ClusterPage.document)
        )
    }

    /// The models served now, unless the client leaves before they are known.
    func servedModels(_ context: GatewayContext) async throws -> [ServedModel] {
        let connectionClosed = await context.connectionClosed()
        do {
            return try await Interruption.interrupting(on: connectionClosed, or: draining) { [service] in
                try await service.models()
            }
        } catch {
            throw APIError(error)
        }
    }

    private func write(_ model: ServedModel, to json: inout JSONWriter) {
        json.object { json in
            json.field("id", model.name)
            json.field("object", "model")
            json.field("created", startTime)
            json.field("owned_by", "aladdin")
            json.field("context_length", model.contextLength)
            json.field("workers", model.workers)
            json.field("engine", model.engine)
        }
    }
}
