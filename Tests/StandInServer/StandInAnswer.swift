internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// An answer under way: its parts in any order that a test likes.
package final class StandInAnswer: Sendable {
    private let channel: any Channel
    private let model: StandInModel
    private let progress = Mutex<(hasBegun: Bool, hasEnded: Bool)>((false, false))

    init(_ channel: any Channel, model: StandInModel) {
        self.channel = channel
        self.model = model
    }

    var isUnfinished: Bool { progress.withLock { $0.hasBegun && !$0.hasEnded } }

    /// Begins an answer; a streamed one if nothing else is said.
    package func begin(
        _ status: Int = 200,
        type: String = "text/event-stream",
        headers: [(String, String)] = []
    ) async throws {
        progress.withLock { $0.hasBegun = true }
        var fields = HTTPHeaders([("content-type", type)])
        fields.add(contentsOf: headers)
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: fields)
        try await channel.writeAndFlush(HTTPServerResponsePart.head(head))
    }

    /// Sends bytes as they are.
    package func send(_ text: String) async throws {
        try await channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: text))))
    }

    package func end() async throws {
        progress.withLock { $0.hasEnded = true }
        try await channel.writeAndFlush(HTTPServerResponsePart.end(nil))
    }

    /// Closes the connection in the middle.
    package func cut() async throws {
        progress.withLock { $0.hasEnded = true }
        try await channel.close()
    }

    /// Returns when the reader has gone.
    package func hang() async throws {
        try await channel.closeFuture.get()
    }

    /// Refuses in OpenAI's form.
    package func refuse(_ status: Int, _ message: String = "no", headers: [(String, String)] = []) async throws {
        try await begin(status, type: "application/json", headers: headers)
        try await send(#"{"error": {"message": "\#(message)", "type": "test", "code": \#(status)}}"#)
        try await end()
    }

    func refuse(_ refusal: StandInModel.Refusal) async throws {
        try await refuse(refusal.status, refusal.message)
    }

    /// One event of a streamed completion.
    package func event(
        _ request: StandInRequest,
        _ text: String?,
        finish: String? = nil,
        extra: String = ""
    ) async throws {
        let finish = finish.map { "\"\($0)\"" } ?? "null"
        let piece = text.map(Self.quoted) ?? "null"
        let content =
            request.isChat ? #""delta": {"content": \#(piece)}"# : #""text": \#(text.map(Self.quoted) ?? "\"\"")"#
        try await send(
            #"data: {"choices": [{"index": 0, \#(content), "finish_reason": \#(finish)}]\#(extra)}"# + "\n\n"
        )
    }

    /// Answers well: a token for each word that the model says, usage and the end.
    package func complete(_ request: StandInRequest, pause: (@Sendable (Int) async throws -> Void)? = nil) async throws
    {
        let json = request.json
        let wanted = json["max_tokens"] as? Int ?? 16
        let words = Array(model.words(for: request).prefix(wanted))
        try await begin()
        if request.isChat { try await event(request, "") }
        for (index, word) in words.enumerated() {
            try await pause?(index)
            try await event(request, word, extra: model.running(request, tokens: index + 1))
        }
        let finish = words.count == wanted ? "length" : "stop"
        try await event(request, nil, finish: finish, extra: model.running(request, tokens: words.count))
        if (json["stream_options"] as? [String: Any])?["include_usage"] as? Bool == true {
            try await send(#"data: {"choices": []\#(model.usage(request, tokens: words.count))}"# + "\n\n")
        }
        try await send("data: [DONE]\n\n")
        try await end()
    }

    private static func quoted(_ text: String) -> String {
        guard let data = try? JSONEncoder().encode(text) else { return "\"\"" }
        return String(decoding: data, as: UTF8.self)
    }
}
