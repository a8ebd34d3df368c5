package import Foundation
package import HTTPTransfers
internal import ServingModel

/// Where spans go.
package enum SpanDestination: Sendable {
    /// A file to which each batch is added as a line of OTLP's JSON.
    case file(FileHandle)
    /// A collector: OTLP over HTTP, in JSON.
    case collector(url: String, HTTPClient)

    /// Opens, or makes, a file that only its owner can read.
    ///
    /// - Throws: a sentence that says why not.
    package static func file(path: String) throws(Failure) -> SpanDestination {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(String(cString: strerror(errno)).lowercased(), isTransient: false) }
        return .file(FileHandle(fileDescriptor: descriptor, closeOnDealloc: true))
    }

    /// - Parameter endpoint: the collector's, with or without the path `/v1/traces`.
    package static func collector(endpoint: String) -> SpanDestination {
        var base = Substring(endpoint)
        while base.hasSuffix("/") { base = base.dropLast() }
        let url = base.hasSuffix("/v1/traces") ? String(base) : base + "/v1/traces"
        return .collector(url: url, HTTPClient())
    }

    /// Why spans were not taken.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
        /// Whether trying again may help.
        package var isTransient: Bool

        init(_ description: String, isTransient: Bool) {
            self.description = description
            self.isTransient = isTransient
        }
    }

    func start() {
        if case .collector(_, let client) = self { client.start() }
    }

    func stop() async {
        if case .collector(_, let client) = self { await client.stop() }
    }

    func send(_ document: [UInt8], within patience: Interval) async throws(Failure) {
        switch self {
        case .file(let file):
            do {
                try file.write(contentsOf: document + [UInt8(ascii: "\n")])
            } catch {
                throw Failure("the file can't be written: \(error.localizedDescription)", isTransient: false)
            }
        case .collector(let url, let client): try await post(document, to: url, client, within: patience)
        }
    }

    private func post(
        _ document: [UInt8],
        to url: String,
        _ client: HTTPClient,
        within patience: Interval
    ) async throws(Failure) {
        var request = HTTPRequest(url)
        request.headers = ["content-type: application/json"]
        request.body = document
        request.timeout = patience
        let answer: HTTPAnswer
        do {
            answer = try await client.fetch(request, maximumBytes: 1 << 20)
        } catch {
            throw Failure("the collector is not reached: \(error)", isTransient: error.kind != .failed)
        }
        guard (200..<300).contains(answer.status) else {
            // As OTLP's specification has it.
            let isTransient = [429, 502, 503, 504].contains(answer.status)
            throw Failure("the collector answers \(answer.status)", isTransient: isTransient)
        }
    }
}
