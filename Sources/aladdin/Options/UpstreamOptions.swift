internal import AccessControl
internal import ArgumentParser
internal import ServingModel
internal import UpstreamEngine

/// The servers behind `--engine upstream`.
struct UpstreamOptions: ParsableArguments {
    @Option(
        help:
            "Address of a server with OpenAI's interface, as http://HOST:PORT. `aladdin up` takes several, a worker each."
    )
    var upstream: [String] = []

    @Option(help: "Which of the server's models to serve. (default: the first that it lists)")
    var upstreamModel: String?

    @Option(help: "File with the API key that the server wants; ALADDIN_UPSTREAM_API_KEY has the key itself.")
    var upstreamApiKeyFile: String?

    @Option(help: "Seconds without a byte after which an answer of the server is given up. (default: 100)")
    var upstreamTimeoutS: Int?

    @Option(help: "Queries that the server has at once. (default: what it says, or is known for)")
    var maxSequences: Int?

    @Option(help: "Tokens of prompt and answer together. (default: what the server says)")
    var contextLength: Int?

    /// One for each server.
    func configurations() throws -> [UpstreamConfiguration] {
        let given = upstream.isEmpty ? Setting.text("upstream").map { [$0] } ?? [] : upstream
        let urls = given.flatMap { $0.split(separator: ",").map(String.init) }
        guard !urls.isEmpty else {
            throw ValidationError("--engine upstream needs --upstream: the server's address, as http://127.0.0.1:8000")
        }
        let key = try apiKey()
        return try urls.map { url in
            guard var configuration = UpstreamConfiguration(url: url) else {
                throw ValidationError("--upstream is not an address like http://HOST:PORT (no user name, no query)")
            }
            configuration.apiKey = key
            configuration.model = try Setting.resolve(upstreamModel, "upstream-model")
            configuration.patience = .seconds(Int64(try Setting.resolve(upstreamTimeoutS, "upstream-timeout-s") ?? 100))
            configuration.maximumSequences = try Setting.resolve(maxSequences, "max-sequences")
            configuration.contextLength = try Setting.resolve(contextLength, "context-length")
            return configuration
        }
    }

    private func apiKey() throws -> String? {
        let source: String
        let text: String?
        if let path = try Setting.resolve(upstreamApiKeyFile, "upstream-api-key-file") {
            source = path
            text = try ProtectedFile.readSecret(path)
        } else {
            source = "ALADDIN_UPSTREAM_API_KEY"
            text = Setting.text("upstream-api-key")
        }
        guard let text else { return nil }
        let key = text.filter { !$0.isNewline }
        guard !key.isEmpty, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw ValidationError("\(source) does not hold an API key: one line of visible ASCII characters")
        }
        return key
    }
}
