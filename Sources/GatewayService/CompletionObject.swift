internal import Hummingbird
internal import ServingModel

/// Writes answers as OpenAI's objects: whole ones, and the chunks of a stream.
struct CompletionObject: Sendable {
    private let kind: CompletionKind
    private let includesUsage: Bool
    /// `data: {"id":…,"object":…,"created":…,"model":…,"choices":[`: the same for each chunk of a stream.
    private let chunkPrefix: ByteBuffer

    /// Prepares what all chunks of a stream share; `created` is in seconds since 1970.
    init(
        _ kind: CompletionKind,
        _ transcript: QueryTranscript,
        model: String,
        created: Int,
        includesUsage: Bool
    ) {
        self.kind = kind
        self.includesUsage = includesUsage
        var prefix = ByteBuffer(string: #"data: {"id":"#)
        JSONWriter.write(kind.identifierPrefix + transcript.id, to: &prefix)
        prefix.writeString(#","object":"\#(kind.chunkObjectName)","created":\#(created),"model":"#)
        JSONWriter.write(model, to: &prefix)
        prefix.writeStaticString(#","choices":["#)
        chunkPrefix = prefix
    }

    static let streamEnd = ByteBuffer(string: "data: [DONE]\n\n")

    /// The whole answer of a finished query; `created` is in seconds since 1970.
    static func whole(
        _ kind: CompletionKind,
        _ transcript: QueryTranscript,
        model: String,
        created: Int
    ) -> ByteBuffer {
        let text = transcript.text
        // What is not its text takes some 350 bytes and the model's name.
        var json = JSONWriter(buffer: ByteBufferAllocator().buffer(capacity: text.utf8.count + model.utf8.count + 448))
        json.object { json in
            json.field("id", kind.identifierPrefix + transcript.id)
            json.field("object", kind.objectName)
            json.field("created", created)
            json.field("model", model)
            json.field("choices")
            json.array { json in
                json.object { json in
                    json.field("index", 0)
                    if kind == .chat {
                        json.field("message")
                        json.object { json in
                            json.field("role", "assistant")
                            json.field("content", text)
                            json.field("refusal", nil)
                        }
                    } else {
                        json.field("text", text)
                    }
                    json.field("logprobs", nil)
                    json.field("finish_reason", transcript.ending?.reason.openAIName)
                }
            }
            if let ending = transcript.ending { write(ending, to: &json) }
        }
        return json.buffer
    }

    /// A chunk with text; the first of a chat also says who speaks.
    func chunk(text: String, isFirst: Bool) -> ByteBuffer {
        var buffer = chunkPrefix
        switch kind {
        case .chat:
            buffer.writeStaticString(#"{"index":0,"delta":{"#)
            if isFirst { buffer.writeStaticString(#""role":"assistant","#) }
            buffer.writeStaticString(#""content":"#)
            JSONWriter.write(text, to: &buffer)
            buffer.writeStaticString("}")
        case .text:
            buffer.writeStaticString(#"{"index":0,"text":"#)
            JSONWriter.write(text, to: &buffer)
        }
        buffer.writeStaticString(#","logprobs":null,"finish_reason":null}]"#)
        endChunk(&buffer)
        return buffer
    }

    /// The last chunks of a stream that ended well: why it ended, what it took if wanted, and `[DONE]`.
    func ending(_ ending: QueryTranscript.Ending) -> ByteBuffer {
        var buffer = chunkPrefix
        buffer.writeStaticString(kind == .chat ? #"{"index":0,"delta":{}"# : #"{"index":0,"text":"""#)
        buffer.writeString(#","logprobs":null,"finish_reason":"\#(ending.reason.openAIName)"}]"#)
        endChunk(&buffer)
        if includesUsage {
            var json = JSONWriter()
            json.object { Self.write(ending, to: &$0) }
            buffer.writeImmutableBuffer(chunkPrefix)
            // The usage's object without its braces.
            buffer.writeStaticString("],")
            buffer.writeBytes(json.buffer.readableBytesView.dropFirst())
            buffer.writeStaticString("\n\n")
        }
        buffer.writeImmutableBuffer(Self.streamEnd)
        return buffer
    }

    /// The event with which a stream ends that can't go on.
    static func failure(_ error: APIError) -> ByteBuffer {
        var json = JSONWriter(buffer: ByteBuffer(string: "data: "))
        error.write(to: &json)
        var buffer = json.buffer
        buffer.writeStaticString("\n\n")
        return buffer
    }

    private func endChunk(_ buffer: inout ByteBuffer) {
        buffer.writeStaticString(includesUsage ? ",\"usage\":null}\n\n" : "}\n\n")
    }

    private static func write(_ ending: QueryTranscript.Ending, to json: inout JSONWriter) {
        json.field("usage")
        json.object { json in
            json.field("prompt_tokens", ending.inputTokens)
            json.field("completion_tokens", ending.outputTokens)
            json.field("total_tokens", ending.inputTokens + ending.outputTokens)
        }
    }
}

extension FinishReason {
    /// The word in `finish_reason`.
    var openAIName: String {
        switch self {
        case .stop: "stop"
        case .length: "length"
        }
    }
}
