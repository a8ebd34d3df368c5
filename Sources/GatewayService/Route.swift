internal import HTTPTypes

/// What the gateway answers.
enum Route: Hashable, Sendable {
    case completion(CompletionKind)
    /// A query by its identifier.
    case query(String)
    case models
    case model(String)
    case health
    case ready
    case metrics
    case cluster
    case page
    /// OpenAI's, and none of ours: one of `OpenAIEndpoint.notOffered`.
    case notOffered(String)

    /// The route of a path, whatever the method; a slash at the end makes no difference.
    init?(path: String) {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        switch path {
        case "/v1/chat/completions": self = .completion(.chat)
        case "/v1/completions": self = .completion(.text)
        case "/v1/models": self = .models
        case "/health": self = .health
        case "/ready": self = .ready
        case "/metrics": self = .metrics
        case "/v1/cluster": self = .cluster
        case "/", "": self = .page
        default:
            let queries = "/v1/queries/"
            if path.hasPrefix(queries), !path.dropFirst(queries.count).isEmpty {
                self = .query(String(path.dropFirst(queries.count)))
                return
            }
            if let family = OpenAIEndpoint.family(of: path) {
                self = .notOffered(family)
                return
            }
            // Models may have slashes in their names.
            let prefix = "/v1/models/"
            guard path.hasPrefix(prefix), let name = Self.percentDecoded(path.dropFirst(prefix.count)), !name.isEmpty
            else { return nil }
            self = .model(name)
        }
    }

    /// The path as metrics show it: one of few.
    var label: String {
        switch self {
        case .completion(.chat): "/v1/chat/completions"
        case .completion(.text): "/v1/completions"
        case .query: "/v1/queries/ID"
        case .models: "/v1/models"
        case .model: "/v1/models/ID"
        case .health: "/health"
        case .ready: "/ready"
        case .metrics: "/metrics"
        case .cluster: "/v1/cluster"
        case .page: "/"
        case .notOffered(let family): "/v1/\(family)"
        }
    }

    /// The label of paths that are no route.
    static let unknownLabel = "unknown"

    /// As in the `Allow` header.
    var allowedMethods: String {
        if case .completion = self { "POST" } else { "GET, HEAD" }
    }

    func allows(_ method: HTTPRequest.Method) -> Bool {
        switch self {
        case .completion: method == .post
        case .notOffered: true
        default: method == .get || method == .head
        }
    }

    /// Text with `%xx` replaced; nil if it is malformed or not UTF-8.
    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let decoded = UInt8(Substring(rest.prefix(2)), radix: 16) else { return nil }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
