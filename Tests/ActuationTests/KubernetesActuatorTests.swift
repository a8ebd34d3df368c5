import Foundation
import Testing

@testable import Actuation

@Suite("Scaling through the Kubernetes API")
struct KubernetesActuatorTests {
    /// A stand-in for the API, in a process of its own.
    private final class API {
        let port: Int
        let directory: URL
        private let process = Process()
        private let lifeline = Pipe()

        var calls: String {
            (try? String(contentsOf: directory.appendingPathComponent("calls"), encoding: .utf8)) ?? ""
        }

        init(token: String, certificate: String? = nil, in directory: URL) throws {
            self.directory = directory
            let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("kubernetes-api.py")
            let output = Pipe()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments =
                ["python3", script.path, token, directory.appendingPathComponent("calls").path]
                + (certificate.map { [$0] } ?? [])
            process.standardInput = lifeline
            process.standardOutput = output
            process.standardError = FileHandle.nullDevice
            try process.run()
            let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
            port = try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines)))
        }

        deinit { kill(process.processIdentifier, SIGKILL) }
    }

    private func directory() throws -> URL {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return directory
    }

    private func configuration(
        _ api: API,
        scheme: String = "http",
        token: String = "s3cret"
    ) throws
        -> KubernetesActuator.Configuration
    {
        let file = api.directory.appendingPathComponent("token").path
        try "\(token)\n".write(toFile: file, atomically: true, encoding: .utf8)
        return .init(
            server: "\(scheme)://127.0.0.1:\(api.port)",
            namespace: "ai",
            workload: "worker",
            tokenFile: file
        )
    }

    @Test("It reads and patches the scale, and marks the pods that can be spared")
    func scale() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(at: directory) }
        let api = try API(token: "s3cret", in: directory)
        let actuator = KubernetesActuator(try configuration(api))
        #expect(try await actuator.size() == 3)
        try await actuator.resize(to: 5, sparing: ["worker-7f9c-a-7"])
        #expect(try await actuator.size() == 5)
        try await actuator.resize(to: 0, sparing: ["worker-7f9c-b-1", "elsewhere-9", "not/a pod-1", "worker-7f9c-a-7"])
        #expect(try await actuator.size() == 0)
        let scale = "/apis/apps/v1/namespaces/ai/deployments/worker/scale"
        let cost = #"{"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-100"}}}"#
        #expect(
            api.calls == """
                \(scale) {"spec": {"replicas": 5}}
                /api/v1/namespaces/ai/pods/worker-7f9c-b \(cost)
                /api/v1/namespaces/ai/pods/elsewhere \(cost)
                /api/v1/namespaces/ai/pods/worker-7f9c-a \(cost)
                \(scale) {"spec": {"replicas": 0}}

                """
        )
        await actuator.close()
    }

    @Test("What the API refuses is an error without secrets")
    func refusals() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(at: directory) }
        let api = try API(token: "s3cret", in: directory)
        let stranger = KubernetesActuator(try configuration(api, token: "other"))
        await #expect(throws: ActuationError("the Kubernetes API says 401 to GET of deployments/worker")) {
            try await stranger.size()
        }
        var wrong = try configuration(api)
        wrong.kind = "statefulsets"
        let nothing = KubernetesActuator(wrong)
        await #expect(throws: ActuationError("the Kubernetes API says 404 to GET of statefulsets/worker")) {
            try await nothing.size()
        }
        wrong.tokenFile = directory.path + "/none"
        let tokenless = KubernetesActuator(wrong)
        await #expect(throws: ActuationError.self) { try await tokenless.size() }
        for actuator in [stranger, nothing, tokenless] { await actuator.close() }
    }

    @Test("Certificates that nobody vouches for are not trusted; the cluster's own are")
    func certificates() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(at: directory) }
        let (key, certificate) = (directory.path + "/key.pem", directory.path + "/certificate.pem")
        let subject = ["-subj", "/CN=api", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
        let files = [
            "-keyout", key, "-out", certificate, "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        ]
        _ = try await Command(executable: "openssl", arguments: ["req", "-x509"] + files + subject).run()
        let both =
            try String(contentsOfFile: key, encoding: .utf8) + String(contentsOfFile: certificate, encoding: .utf8)
        try both.write(toFile: directory.path + "/both.pem", atomically: true, encoding: .utf8)
        let api = try API(token: "s3cret", certificate: directory.path + "/both.pem", in: directory)
        var configuration = try configuration(api, scheme: "https")
        let distrustful = KubernetesActuator(configuration)
        await #expect(throws: ActuationError.self) { try await distrustful.size() }
        configuration.certificateFile = certificate
        let trusting = KubernetesActuator(configuration)
        #expect(try await trusting.size() == 3)
        for actuator in [distrustful, trusting] { await actuator.close() }
    }

    @Test("A pod knows its cluster, and nobody else does")
    func pod() throws {
        let environment = ["KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT_HTTPS": "6443"]
        let inside = try KubernetesActuator.Configuration.ofThisPod(
            namespace: "ai",
            kind: "deployments",
            workload: "worker",
            environment: environment
        )
        #expect(inside.server == "https://10.0.0.1:6443" && inside.namespace == "ai")
        #expect(throws: ActuationError.self) {
            try KubernetesActuator.Configuration.ofThisPod(
                namespace: nil,
                kind: "deployments",
                workload: "worker",
                environment: [:]
            )
        }
    }
}
