/// A service of a Docker Compose project.
///
/// Compose itself chooses who goes, and sends SIGTERM; `stop_grace_period` of the service bounds how long a worker may
/// take to finish what it has.
package struct ComposeActuator: Actuator {
    package let service: String
    /// Options of `docker compose` before its command, such as `-f FILE` or `-p PROJECT`.
    private let options: [String]
    private let docker: String

    package init(service: String, files: [String], project: String?, docker: String = "docker") {
        self.service = service
        self.docker = docker
        options = files.flatMap { ["-f", $0] } + (project.map { ["-p", $0] } ?? [])
    }

    package var name: String { "the compose service \(service)" }

    package func size() async throws -> Int {
        let containers = try await compose("ps", "--quiet", service)
        return containers.split(separator: "\n").count
    }

    package func resize(to count: Int, sparing spare: [String]) async throws {
        _ = try await compose("up", "-d", "--no-deps", "--no-recreate", "--scale", "\(service)=\(count)", service)
    }

    private func compose(_ arguments: String...) async throws -> String {
        try await Command(
            executable: docker,
            arguments: ["compose"] + options + arguments,
            patience: .seconds(900)
        ).run()
    }
}
