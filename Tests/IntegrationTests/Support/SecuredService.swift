internal import AladdinClient
internal import Foundation
internal import Logging
internal import Messages
internal import ServingModel
internal import Testing

/// A key directory of a test's own.
struct Keys: Sendable {
    let files: TemporaryDirectory
    let path: String

    init() async throws {
        files = try TemporaryDirectory()
        path = files.path("keys")
        let run = try await Run.aladdin("keys", "init", "--keys", path)
        try #require(run.code == 0, "\(run.errors)")
    }

    /// The new key's file, or the API key.
    func make(_ name: String, _ role: String, _ flags: String...) async throws -> String {
        let run = try await Run.aladdin(["keys", "new", name, "--role", role, "--keys", path] + flags)
        try #require(run.code == 0, "\(run.errors)")
        return run.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func revoke(_ name: String) async throws {
        let run = try await Run.aladdin("keys", "revoke", name, "--keys", path)
        try #require(run.code == 0, "\(run.errors)")
    }

    /// A copy of a key's file that does not say what it is good for, so that only the broker can object.
    func disguised(_ file: String) throws -> String {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("role ") && !$0.hasPrefix("#") }
        let copy = try files.write(lines.joined(separator: "\n"), to: UUID().uuidString)
        chmod(copy, 0o600)
        return copy
    }

    /// The value of a line in a key's file.
    static func value(_ name: String, in file: String) throws -> String {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("\(name) ") })
        return String(line.dropFirst(name.count + 1))
    }
}

/// `aladdin up` with keys, on free ports.
struct SecuredService: Sendable {
    let keys: Keys
    let process: ServiceProcess
    let endpoints: Endpoints
    let url: String

    static func up(_ keys: Keys, _ flags: String...) async throws -> SecuredService {
        let arguments = ["up", "--http", "127.0.0.1:0", "--keys", keys.path] + Endpoints().flags + flags
        let process = ServiceProcess(arguments)
        let ready = try await process.line("aladdin is ready on http://", in: \.output)
        let url = try #require(ready.split(separator: " ").first { $0.hasPrefix("http://") })
        return SecuredService(
            keys: keys,
            process: process,
            endpoints: try await Endpoints(of: process),
            url: String(url)
        )
    }

    func query(_ text: String, _ flags: String...) async throws -> Run {
        try await Run.aladdin(["query", text] + endpoints.flags + flags)
    }

    /// Does something with a client that has a key.
    func withClient<Value: Sendable>(
        _ keyFile: String,
        _ body: @escaping @Sendable (AladdinClient) async throws -> Value
    ) async throws -> Value {
        let client = AladdinClient(
            endpoint: endpoints.frontend,
            name: "test",
            key: try ClientKey(contentsOfFile: keyFile),
            connectPatience: .seconds(60),
            logger: .silent
        )
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await client.run() }
            defer { group.cancelAll() }
            return try await body(client)
        }
    }
}
