internal import AccessControl
internal import AladdinClient
internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOCore

/// Answers HTTP requests: finds the route, counts, and puts every error into OpenAI's shape.
///
/// One for all connections, and a class: each request has it at hand.
final class GatewayResponder: HTTPResponder {
    typealias Context = GatewayContext

    let configuration: GatewayConfiguration
    let service: any QueryService
    let metrics: GatewayMetrics
    /// Who has an API key; nil if nobody is asked for one.
    let access: AccessTable?
    /// Raised when answers under way have to end because the gateway shuts down.
    let draining: OneShotSignal
    /// Seconds since 1970 at which the gateway was made.
    let startTime: Int
    /// Seconds since 1970.
    let unixTime: @Sendable () -> Int
    let cluster: ClusterInsight
    let tracing: GatewayTracing?

    init(
        configuration: GatewayConfiguration,
        service: any QueryService,
        metrics: GatewayMetrics,
        access: AccessTable?,
        draining: OneShotSignal,
        startTime: Int,
        unixTime: @escaping @Sendable () -> Int,
        cluster: ClusterInsight,
        tracing: GatewayTracing?
    ) {
        self.configuration = configuration
        self.service = service
        self.metrics = metrics
        self.access = access
        self.draining = draining
        self.startTime = startTime
        self.unixTime = unixTime
        self.cluster = cluster
        self.tracing = tracing
    }

    func respond(to request: Request, context: GatewayContext) async throws -> Response {
        let inFlight = metrics.beginRequest()
        let route = Route(path: request.uri.path)
        var response: Response
        do {
            response = try await answer(request, route, context)
        } catch let error as APIError {
            response = error.response()
        } catch {
            context.logger.error("request failed", metadata: ["error": "\(error)"])
            response = APIError(error).response()
        }
        metrics.answered(route: route?.label ?? Route.unknownLabel, code: response.status.code)
        if request.method == .head { response = response.createHeadResponse() }
        return response.holding(inFlight)
    }

    private func answer(
        _ request: Request,
        _ route: Route?,
        _ context: GatewayContext
    ) async throws -> Response {
        guard let route else {
            throw APIError.invalidRequest("There is nothing at \(request.uri.path).", code: "unknown_url", status: 404)
        }
        guard route.allows(request.method) else {
            let method = request.method.rawValue
            var error = APIError.invalidRequest("\(route.label) does not take \(method).", status: 405)
            error.code = "method_not_allowed"
            error.allow = route.allowedMethods
            throw error
        }
        let caller = try caller(of: request.headers, route)
        switch route {
        case .completion:
            // Answered by `CompletionHandler`, under the paths that it knows them by.
            throw APIError.invalidRequest("Ask for \(route.label) by its path alone.", code: "unknown_url", status: 404)
        case .query(let id): return try await query(id, request, caller, context)
        case .models: return try await models(context)
        case .model(let name): return try await model(name, context)
        case .health: return health()
        case .ready: return await ready(context)
        case .metrics: return await metricsPage()
        case .cluster: return try await clusterStatus()
        case .page: return page()
        case .notOffered(let family): throw OpenAIEndpoint.refusal(of: family)
        }
    }

    /// Why a request is refused whose body is larger than the configuration allows.
    var bodyTooLarge: APIError {
        .invalidRequest(
            "The request's body may have \(configuration.maximumBodyBytes) bytes at most.",
            code: "message_too_large",
            status: 413
        )
    }
}

extension Response {
    /// A response with a JSON body.
    static func json(_ buffer: ByteBuffer, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: "application/json"], body: ResponseBody(byteBuffer: buffer))
    }

    /// Keeps a request counted as in flight until a streamed body has been written.
    ///
    fileprivate func holding(_ inFlight: GatewayMetrics.InFlight) -> Response {
        guard body.contentLength == nil else { return self }
        let written = body
        var response = self
        response.body = ResponseBody { writer in
            try await written.write(writer)
            withExtendedLifetime(inFlight) {}
        }
        return response
    }
}
