internal import Foundation
internal import HTTPTransfers
internal import ServingModel

/// A Deployment or StatefulSet, scaled through the API's scale subresource.
///
/// Pods that can best be spared get a low `pod-deletion-cost`, so that the controller takes those first; it sends SIGTERM,
/// and `terminationGracePeriodSeconds` bounds how long a worker may take to finish what it has.
package final class KubernetesActuator: Actuator {
    package struct Configuration: Sendable {
        /// `https://HOST:PORT` of the API.
        package var server: String
        package var namespace: String
        /// `deployments` or `statefulsets`.
        package var kind: String
        package var workload: String
        /// File with the service account's token, read anew each time as it changes; nil asks without one.
        package var tokenFile: String?
        /// File with the certificates that sign the API's.
        package var certificateFile: String?

        /// As a pod finds it: its service account and the API's address.
        ///
        /// - Throws: `ActuationError` outside of a pod.
        package static func ofThisPod(
            namespace: String?,
            kind: String,
            workload: String,
            environment: [String: String] = ProcessInfo.processInfo.environment
        ) throws -> Configuration {
            let account = "/var/run/secrets/kubernetes.io/serviceaccount"
            guard let host = environment["KUBERNETES_SERVICE_HOST"] else {
                throw ActuationError("this is no pod (KUBERNETES_SERVICE_HOST is not set); give the API's address")
            }
            let port = environment["KUBERNETES_SERVICE_PORT_HTTPS"] ?? "443"
            let own = try? String(contentsOfFile: "\(account)/namespace", encoding: .utf8)
            return Configuration(
                server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)",
                namespace: namespace ?? own ?? "default",
                kind: kind,
                workload: workload,
                tokenFile: "\(account)/token",
                certificateFile: "\(account)/ca.crt"
            )
        }

        package init(
            server: String,
            namespace: String,
            kind: String = "deployments",
            workload: String,
            tokenFile: String? = nil,
            certificateFile: String? = nil
        ) {
            self.server = server
            self.namespace = namespace
            self.kind = kind
            self.workload = workload
            self.tokenFile = tokenFile
            self.certificateFile = certificateFile
        }
    }

    private struct Scale: Decodable {
        struct Specification: Decodable { var replicas: Int? }
        var spec: Specification
    }

    private static let deletionCost = "controller.kubernetes.io/pod-deletion-cost"

    private let configuration: Configuration
    private let client = HTTPClient()

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        client.start()
    }

    package var name: String { "\(configuration.kind)/\(configuration.workload)" }

    package func size() async throws -> Int {
        let body = try await ask("GET", scalePath, nil)
        guard let scale = try? JSONDecoder().decode(Scale.self, from: Data(body)) else {
            throw ActuationError("the Kubernetes API's answer is no Scale")
        }
        // The API leaves out a number that is zero.
        return scale.spec.replicas ?? 0
    }

    package func resize(to count: Int, sparing spare: [String]) async throws {
        let present = try await size()
        for worker in spare.prefix(max(0, present - count)) {
            guard let pod = Self.pod(ofWorker: worker) else { continue }
            let path = "/api/v1/namespaces/\(configuration.namespace)/pods/\(pod)"
            // A hint only: a worker that is no pod here, or a cluster that does not let us, changes nothing.
            _ = try? await ask("PATCH", path, ["metadata": ["annotations": [Self.deletionCost: "-100"]]])
        }
        _ = try await ask("PATCH", scalePath, ["spec": ["replicas": count]])
    }

    package func close() async {
        await client.stop()
    }

    /// Workers in pods call themselves HOST-PID, and a pod's host name is its own.
    static func pod(ofWorker name: String) -> String? {
        guard let dash = name.lastIndex(of: "-"), !name[name.index(after: dash)...].isEmpty,
            name[name.index(after: dash)...].allSatisfy(\.isNumber)
        else { return nil }
        let pod = name[..<dash]
        guard !pod.isEmpty, pod.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") })
        else { return nil }
        return String(pod)
    }

    private var scalePath: String {
        "/apis/apps/v1/namespaces/\(configuration.namespace)/\(configuration.kind)/\(configuration.workload)/scale"
    }

    private func ask(_ method: String, _ path: String, _ patch: [String: Any]?) async throws -> [UInt8] {
        var request = HTTPRequest(configuration.server + path)
        request.method = method
        request.timeout = .seconds(10)
        request.trustedCertificates = configuration.certificateFile
        request.headers = ["Accept: application/json"]
        if let file = configuration.tokenFile {
            guard let token = try? String(contentsOfFile: file, encoding: .utf8) else {
                throw ActuationError("cannot read the token in \(file)")
            }
            let word = token.trimmingCharacters(in: .whitespacesAndNewlines)
            request.headers.append("Authorization: Bearer \(word)")
        }
        if let patch {
            request.headers.append("Content-Type: application/merge-patch+json")
            request.body = [UInt8](try JSONSerialization.data(withJSONObject: patch, options: .sortedKeys))
        }
        let answer: HTTPAnswer
        do {
            answer = try await client.fetch(request, maximumBytes: 1 << 20)
        } catch {
            throw ActuationError("the Kubernetes API does not answer: \(error)")
        }
        guard answer.status == 200 else {
            throw ActuationError("the Kubernetes API says \(answer.status) to \(method) of \(name)")
        }
        return answer.body
    }
}
