internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import Messages
internal import ServingModel

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows workers, queues, predictions and their error, and how many queries meet their objectives."
    )

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var endpoints: PeerOptions
    @OptionGroup var key: KeyOptions

    func run() async throws {
        let key = try key.clientKey(for: .admin)
        guard let shards = try endpoints.everyAdmin() else {
            let endpoint = try endpoints.admin()
            let status = try await StatusQuestion(endpoint: endpoint, key: key).answer()
            return Terminal.write((json ? try Terminal.json(status.object) : status.text) + "\n")
        }
        var objects: [String: Any] = [:]
        var failure: (any Error)?
        for (shard, endpoint) in shards {
            do {
                let status = try await StatusQuestion(endpoint: endpoint, key: key).answer()
                objects[shard] = status.object
                if !json { Terminal.write("shard \(shard)\n\(status.text)\n\n") }
            } catch {
                failure = error
            }
        }
        if json { Terminal.write(try Terminal.json(["shards": objects]) + "\n") }
        if let failure { throw failure }
    }
}

/// Asks one broker how its cluster is, and complains if it can't say.
private struct StatusQuestion {
    var endpoint: String
    var key: ClientKey?

    func answer() async throws -> ClusterStatus {
        do throws(Status) {
            return try await AdminClient(endpoint: endpoint, key: key, logger: .silent).status()
        } catch {
            Terminal.complain(error.message)
            if let hint = KeyOptions.diagnosis(of: error, at: endpoint, key) { Terminal.complain(hint) }
            throw ExitCode(error.code == .invalidArgument ? 2 : 1)
        }
    }
}
