internal import AladdinClient
internal import ArgumentParser
internal import Logging

struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Runs the HTTP gateway: OpenAI's interface in front of a broker."
    )

    @OptionGroup var gateway: GatewayOptions
    @OptionGroup var endpoints: EndpointOptions
    @OptionGroup var service: ServiceOptions

    func run() async throws {
        let logger = try service.logger()
        let client = AladdinClient(endpoint: try endpoints.frontend(), name: "gateway", logger: logger)
        let gateway = try gateway.service(for: client, admin: try endpoints.admin(), logger: logger) { address in
            logger.info("gateway serves", metadata: ["address": "http://\(address)"])
        }
        try await ServiceOptions.run([client, gateway], logger: logger)
    }
}
