internal import AccessControl
internal import Actuation
internal import AladdinClient
internal import ArgumentParser
internal import Foundation
internal import Logging
internal import Messages
internal import ServingModel

struct AutoscaleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "autoscale",
        abstract:
            "Makes a fleet of workers as large as the scheduler wishes: Compose services, or by your own command.",
        discussion: """
            It asks the broker once a second. Workers that go are told to, and finish what they have. Every decision is \
            printed with its reason. For processes of this machine: aladdin up --autoscale.
            """
    )

    @Option(
        help: """
            compose: a service of a Docker Compose project; kubernetes: a Deployment or StatefulSet; command: whatever \
            --command does.
            """
    )
    var actuator: String?

    @Option(help: "Which model's workers. (default: the only model, or the first)")
    var forModel: String?

    @Option(
        help: """
            Which of its workers, where there are some for prompts alone: prefill or decode; one autoscale for each. \
            (default: both, where all do both)
            """
    )
    var forRole: String?

    @Option(help: "The Compose service. (default: worker)")
    var service: String?

    @Option(help: "Compose file; may be given several times. (default: Compose's own)")
    var composeFile: [String] = []

    @Option(help: "Compose project. (default: Compose's own)")
    var composeProject: String?

    @Option(help: "Kubernetes: what is scaled, deployments/NAME or statefulsets/NAME. (default: deployments/worker)")
    var workload: String?

    @Option(help: "Kubernetes: the namespace. (default: this pod's)")
    var namespace: String?

    @Option(
        help: """
            Kubernetes: the API's address outside of a pod, such as http://127.0.0.1:8001 of kubectl proxy. (default: as \
            this pod's service account)
            """
    )
    var kubernetesApi: String?

    @Option(
        help: """
            Run by /bin/sh to make the fleet as large as $ALADDIN_WORKERS says; it may also use $ALADDIN_MODEL, \
            $ALADDIN_CURRENT_WORKERS and $ALADDIN_SPARE, workers' names, the idlest first.
            """
    )
    var command: String?

    @Option(parsing: .unconditional, help: "Never fewer workers. (default: 1)")
    var minWorkers: Int?

    @Option(parsing: .unconditional, help: "Never more workers. (default: 64)")
    var maxWorkers: Int?

    @Option(
        name: .customLong("cooldown-s"),
        parsing: .unconditional,
        help: "Rest after a change before workers are sent away. Growing never waits. (default: 30)"
    )
    var cooldown: Double?

    @Flag(help: "Only say what would be done.")
    var dryRun = false

    @Option(
        help: """
            Append each decision, its reason and what came of it to this file, as a line of JSON. (default: none)
            """
    )
    var decisionLog: String?

    @OptionGroup var endpoints: PeerOptions
    @OptionGroup var key: KeyOptions
    @OptionGroup var logging: ServiceOptions

    func run() async throws {
        let logger = try logging.logger()
        var configuration = FleetControlService.Configuration()
        configuration.model = try Setting.resolve(forModel, "for-model")
        configuration.role = try Setting.resolve(forRole, "for-role").flatMap { WorkerRole(rawValue: $0) } ?? .both
        configuration.adminEndpoint = try endpoints.admin()
        configuration.key = try key.clientKey(for: .admin)
        configuration.settings = try settings()
        configuration.isDryRun = try Setting.flag(dryRun, "dry-run")
        configuration.log = try Self.log(at: decisionLog)
        let actuator = try makeActuator(configuration)
        let verb = configuration.isDryRun ? "would scale" : "scaling"
        let control = FleetControlService(configuration: configuration, actuator: actuator, logger: logger) {
            decision in
            Terminal.write("\(verb) from \(decision.from) to \(decision.to) workers: \(decision.words)\n")
        }
        let follower = logging.follower(of: "autoscale", logger: logger) { [self] in
            await control.reconfigure(try settings())
        }
        try await ServiceOptions.run(follower + [control], logger: logger)
    }

    /// - Parameter path: as on the command line.
    static func log(at path: String?) throws -> DecisionLog? {
        guard let path = try Setting.resolve(path, "decision-log") else { return nil }
        do {
            return try DecisionLog(path: path)
        } catch {
            throw ValidationError("--decision-log: \(error)")
        }
    }

    private func settings() throws -> FleetController.Settings {
        var settings = FleetController.Settings()
        settings.least = try Setting.resolve(minWorkers, "min-workers", default: 1)
        settings.most = try Setting.resolve(maxWorkers, "max-workers", default: 64)
        try ScalingAdviceOptions.check(settings.least, settings.most, isGiven: maxWorkers != nil)
        let seconds = try Setting.resolve(cooldown, "cooldown-s", default: settings.cooldown.seconds)
        settings.cooldown = .seconds(rounding: seconds)
        return settings
    }

    private func makeActuator(_ configuration: FleetControlService.Configuration) throws -> any Actuator {
        let command = try Setting.resolve(command, "command")
        let kind = try Setting.resolve(actuator, "actuator", default: command == nil ? "compose" : "command")
        switch kind {
        case "compose":
            return ComposeActuator(
                service: try Setting.resolve(service, "service", default: "worker"),
                files: composeFile.isEmpty
                    ? Setting.text("compose-file")?.split(separator: ",").map(String.init) ?? [] : composeFile,
                project: try Setting.resolve(composeProject, "compose-project")
            )
        case "kubernetes": return KubernetesActuator(try kubernetes())
        default:
            guard let command else { throw ValidationError("--actuator command needs --command") }
            // It can't be asked itself.
            return CommandActuator(command: command) {
                try await FleetControlService.present(configuration, logger: .silent)
            }
        }
    }

    private func kubernetes() throws -> KubernetesActuator.Configuration {
        let workload = try Setting.resolve(workload, "workload", default: "deployments/worker")
        let parts = workload.split(separator: "/").map(String.init)
        let namespace = try Setting.resolve(namespace, "namespace")
        if let server = try Setting.resolve(kubernetesApi, "kubernetes-api") {
            return .init(server: server, namespace: namespace ?? "default", kind: parts[0], workload: parts[1])
        }
        do {
            return try .ofThisPod(namespace: namespace, kind: parts[0], workload: parts[1])
        } catch {
            throw ValidationError("\(error): --kubernetes-api")
        }
    }
}

extension FleetController.Decision {
    /// The reason, in words.
    var words: String {
        let load = "the load keeps \(offeredLoad.short) workers busy"
        switch reason {
        case "demand": return "more load is to come; at the moment \(load)"
        case "reserve": return "kept ready for bursts like those of the last hour; at the moment \(load)"
        case "backlog": return "too much waits; \(load)"
        case "surplus": return "fewer have been enough for a while; \(load)"
        case "least": return "never fewer than that"
        case "most": return "never more than that; \(load)"
        default: return "\(reason); \(load)"
        }
    }
}
