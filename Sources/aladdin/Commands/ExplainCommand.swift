internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import Foundation
internal import ServingModel

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Shows why a query was placed where it was, what was predicted, and what then happened.",
        discussion: """
            A query's identifier is in the header x-aladdin-query-id of an answer over HTTP and in what \
            `aladdin query --json` prints. The broker knows a query until five minutes after its end.
            """
    )

    @Argument(help: "The query's identifier.")
    var query: String

    @Flag(help: "Print JSON.")
    var json = false

    @OptionGroup var endpoints: PeerOptions
    @OptionGroup var key: KeyOptions

    func run() async throws {
        guard let id = QueryID(query) else {
            throw ValidationError(
                "'\(query)' is not a query's identifier; it must look like 0190163d-8694-739b-aea5-966c26f8ad91"
            )
        }
        let key = try key.clientKey(for: .admin)
        let endpoints = try endpoints.everyAdmin()?.map(\.endpoint) ?? [endpoints.admin()]
        var failure: (status: Status, endpoint: String)?
        for endpoint in endpoints {
            let explanation: QueryExplanation
            do throws(Status) {
                explanation = try await AdminClient(endpoint: endpoint, key: key, logger: .silent).explain(id)
            } catch {
                // That one shard does not know it says little; that one can't be asked says more.
                if failure == nil || error.code != .notFound { failure = (error, endpoint) }
                continue
            }
            return Terminal.write((json ? try Terminal.json(explanation.object) : explanation.text) + "\n")
        }
        guard let failure else { return }
        Terminal.complain(failure.status.message)
        if let hint = KeyOptions.diagnosis(of: failure.status, at: failure.endpoint, key) { Terminal.complain(hint) }
        throw ExitCode(failure.status.code == .invalidArgument ? 2 : 1)
    }
}
