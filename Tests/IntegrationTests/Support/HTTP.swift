internal import Foundation
internal import Testing

/// HTTP as users speak it first: with curl.
struct HTTP: Sendable {
    var status: Int
    var headers: [String: String]
    var body: String

    static func post(_ url: String, _ body: String, headers: [String] = []) async throws -> HTTP {
        try await curl(url, ["--data-binary", body] + headers.flatMap { ["-H", $0] })
    }

    static func get(_ url: String, headers: [String] = []) async throws -> HTTP {
        try await curl(url, headers.flatMap { ["-H", $0] })
    }

    /// A request whose answer is still being read; line by line in `output`.
    static func open(_ url: String, _ body: String, headers: [String] = []) -> ServiceProcess {
        let fields = (["content-type: application/json"] + headers).flatMap { ["-H", $0] }
        return ServiceProcess(executable: path, ["-sN", url, "--data-binary", body] + fields)
    }

    static func chat(_ text: String, _ fields: String = "") -> String {
        #"{"messages": [{"role": "user", "content": "\#(text)"}]\#(fields.isEmpty ? "" : ", " + fields)}"#
    }

    private static let path = "/usr/bin/curl"

    private static func curl(_ url: String, _ arguments: [String]) async throws -> HTTP {
        let run = try await Run.command(path, ["-s", "-i", "-H", "content-type: application/json", url] + arguments)
        try #require(run.code == 0, "curl \(url) ended with \(run.code): \(run.errors)")
        // CR and LF are one character to Swift.
        let text = run.output.replacingOccurrences(of: "\r\n", with: "\n")
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let end = try #require(lines.firstIndex { $0.isEmpty })
        let status = try #require(Int(lines[0].split(separator: " ")[1]))
        var headers: [String: String] = [:]
        for line in lines[1..<end] {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces
            )
        }
        return HTTP(status: status, headers: headers, body: lines[(end + 1)...].joined(separator: "\n"))
    }

    func json() throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(body.utf8))
        return try #require(object as? [String: Any], "not a JSON object: \(body)")
    }

    /// The error's `code`, OpenAI's place for a reason.
    var errorCode: String? { (try? json()["error"] as? [String: Any])?["code"] as? String }

    /// The text of a streamed chat, put together from its events.
    static func streamedText(_ lines: [String]) throws -> String {
        var text = ""
        for line in lines where line.hasPrefix("data: {") {
            let event = try JSONSerialization.jsonObject(with: Data(line.dropFirst(6).utf8)) as? [String: Any]
            let choices = event?["choices"] as? [[String: Any]]
            let delta = choices?.first?["delta"] as? [String: Any]
            text += delta?["content"] as? String ?? ""
        }
        return text
    }
}
