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
        let endpoint = try endpoints.admin()
        let admin = AdminClient(endpoint: endpoint, key: key, logger: .silent)
        do {
            let status = try await admin.status()
            print(json ? try Terminal.json(status.object) : status.text)
        } catch let status as Status {
            Terminal.complain(status.message)
            if let hint = KeyOptions.diagnosis(of: status, at: endpoint, key) { Terminal.complain(hint) }
            throw ExitCode(status.code == .invalidArgument ? 2 : 1)
        }
    }
}
