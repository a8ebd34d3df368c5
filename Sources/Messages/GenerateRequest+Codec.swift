internal import CAladdinMessages
internal import ServingModel

extension GenerateRequest: WireRoot {
    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__GenerateRequest>? {
        aladdin__v1__generate_request__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__GenerateRequest>) throws(DecodingFailure) -> GenerateRequest {
        GenerateRequest(
            model: try Reading.string(wire.pointee.model, "model"),
            input: try input(of: wire),
            maxTokens: Int(wire.pointee.max_tokens),
            sampling: try Reading.optional(wire.pointee.sampling, "sampling") ?? Sampling(),
            metadata: try Reading.list(wire.pointee.n_metadata, wire.pointee.metadata, "metadata")
        )
    }

    private static func input(
        of wire: UnsafePointer<Aladdin__V1__GenerateRequest>
    ) throws(DecodingFailure) -> PromptInput {
        switch wire.pointee.input_case {
        case ALADDIN__V1__GENERATE_REQUEST__INPUT_TEXT:
            return .text(try Reading.string(wire.pointee.text, "text"))
        case ALADDIN__V1__GENERATE_REQUEST__INPUT_CHAT:
            let chat = try Reading.member(wire.pointee.chat, "chat")
            return .chat(try Reading.list(chat.n_messages, chat.messages, "chat.messages"))
        case ALADDIN__V1__GENERATE_REQUEST__INPUT_TOKENS:
            let tokens = try Reading.member(wire.pointee.tokens, "tokens")
            return .tokens(try Reading.tokens(tokens.n_ids, tokens.ids, "tokens.ids"))
        default:
            throw DecodingFailure(field: "input", problem: .missing)
        }
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__GenerateRequest> {
        let wire = arena.make(aladdin__v1__generate_request__init)
        wire.pointee.model = arena.string(model)
        wire.pointee.max_tokens = Writing.count32(maxTokens)
        wire.pointee.sampling = sampling.write(in: &arena)
        wire.pointee.n_metadata = metadata.count
        wire.pointee.metadata = arena.list(metadata)
        switch input {
        case .text(let text):
            wire.pointee.input_case = ALADDIN__V1__GENERATE_REQUEST__INPUT_TEXT
            wire.pointee.text = arena.string(text)
        case .chat(let messages):
            let chat = arena.make(aladdin__v1__chat__init)
            chat.pointee.n_messages = messages.count
            chat.pointee.messages = arena.list(messages)
            wire.pointee.input_case = ALADDIN__V1__GENERATE_REQUEST__INPUT_CHAT
            wire.pointee.chat = chat
        case .tokens(let ids):
            let tokens = arena.make(aladdin__v1__token_list__init)
            tokens.pointee.n_ids = ids.count
            tokens.pointee.ids = arena.tokens(ids)
            wire.pointee.input_case = ALADDIN__V1__GENERATE_REQUEST__INPUT_TOKENS
            wire.pointee.tokens = tokens
        }
        return wire
    }
}

extension MetadataEntry: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__Metadata>) throws(DecodingFailure) -> MetadataEntry {
        MetadataEntry(
            try Reading.string(wire.pointee.key, "key"),
            try Reading.string(wire.pointee.value, "value")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Metadata> {
        let wire = arena.make(aladdin__v1__metadata__init)
        wire.pointee.key = arena.string(key)
        wire.pointee.value = arena.string(value)
        return wire
    }
}

extension ChatMessage: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__ChatMessage>) throws(DecodingFailure) -> ChatMessage {
        ChatMessage(
            role: try Reading.string(wire.pointee.role, "role"),
            content: try Reading.string(wire.pointee.content, "content")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__ChatMessage> {
        let wire = arena.make(aladdin__v1__chat_message__init)
        wire.pointee.role = arena.string(role)
        wire.pointee.content = arena.string(content)
        return wire
    }
}

extension Sampling: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__Sampling>) throws(DecodingFailure) -> Sampling {
        let topP = try Reading.finite(wire.pointee.top_p, "top_p")
        return Sampling(
            temperature: try Reading.finite(wire.pointee.temperature, "temperature"),
            // 0 is what a client sends that doesn't set it.
            topP: topP == 0 ? 1 : topP,
            topK: Int(wire.pointee.top_k),
            seed: wire.pointee.seed?.pointee.value,
            stop: try Reading.strings(wire.pointee.n_stop, wire.pointee.stop, "stop")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Sampling> {
        let wire = arena.make(aladdin__v1__sampling__init)
        wire.pointee.temperature = temperature
        wire.pointee.top_p = topP
        wire.pointee.top_k = Writing.count32(topK)
        if let seed {
            let wireSeed = arena.make(aladdin__v1__seed__init)
            wireSeed.pointee.value = seed
            wire.pointee.seed = wireSeed
        }
        wire.pointee.n_stop = stop.count
        wire.pointee.stop = arena.strings(stop)
        return wire
    }
}
