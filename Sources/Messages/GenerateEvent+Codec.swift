internal import CAladdinMessages
internal import ServingModel

extension GenerateEvent: WireRoot {
    static func unpack(
        _ allocator: UnsafeMutablePointer<ProtobufCAllocator>?,
        _ count: Int,
        _ bytes: UnsafePointer<UInt8>?
    ) -> UnsafeMutablePointer<Aladdin__V1__GenerateEvent>? {
        aladdin__v1__generate_event__unpack(allocator, count, bytes)
    }

    static func read(_ wire: UnsafePointer<Aladdin__V1__GenerateEvent>) throws(DecodingFailure) -> GenerateEvent {
        switch wire.pointee.event_case {
        case ALADDIN__V1__GENERATE_EVENT__EVENT_ACCEPTED:
            return .accepted(try Reading.required(wire.pointee.accepted, "accepted"))
        case ALADDIN__V1__GENERATE_EVENT__EVENT_STARTED:
            return .started(try Reading.required(wire.pointee.started, "started"))
        case ALADDIN__V1__GENERATE_EVENT__EVENT_TOKENS:
            return .tokens(try Reading.required(wire.pointee.tokens, "tokens"))
        case ALADDIN__V1__GENERATE_EVENT__EVENT_RESET:
            return .reset(firstIndex: Int(try Reading.member(wire.pointee.reset, "reset").first_index))
        case ALADDIN__V1__GENERATE_EVENT__EVENT_FINISHED:
            return .finished(try Reading.required(wire.pointee.finished, "finished"))
        default:
            throw DecodingFailure(field: "event", problem: .missing)
        }
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__GenerateEvent> {
        let wire = arena.make(aladdin__v1__generate_event__init)
        switch self {
        case .accepted(let accepted):
            wire.pointee.event_case = ALADDIN__V1__GENERATE_EVENT__EVENT_ACCEPTED
            wire.pointee.accepted = accepted.write(in: &arena)
        case .started(let started):
            wire.pointee.event_case = ALADDIN__V1__GENERATE_EVENT__EVENT_STARTED
            wire.pointee.started = started.write(in: &arena)
        case .tokens(let tokens):
            wire.pointee.event_case = ALADDIN__V1__GENERATE_EVENT__EVENT_TOKENS
            wire.pointee.tokens = tokens.write(in: &arena)
        case .reset(let firstIndex):
            let reset = arena.make(aladdin__v1__reset__init)
            reset.pointee.first_index = Writing.count32(firstIndex)
            wire.pointee.event_case = ALADDIN__V1__GENERATE_EVENT__EVENT_RESET
            wire.pointee.reset = reset
        case .finished(let finished):
            wire.pointee.event_case = ALADDIN__V1__GENERATE_EVENT__EVENT_FINISHED
            wire.pointee.finished = finished.write(in: &arena)
        }
        return wire
    }
}

extension AcceptedEvent: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__Accepted>) throws(DecodingFailure) -> AcceptedEvent {
        let level = try Reading.string(wire.pointee.durability, "durability")
        // A broker that says nothing about it promises nothing.
        guard let durability = level.isEmpty ? .volatile : Durability(rawValue: level) else {
            throw DecodingFailure(field: "durability", problem: .unknownValue)
        }
        return AcceptedEvent(
            queryID: try Reading.string(wire.pointee.query_id, "query_id"),
            durability: durability,
            isDuplicate: wire.pointee.duplicate != 0
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Accepted> {
        let wire = arena.make(aladdin__v1__accepted__init)
        wire.pointee.query_id = arena.string(queryID)
        wire.pointee.durability = arena.string(durability.rawValue)
        wire.pointee.duplicate = isDuplicate ? 1 : 0
        return wire
    }
}

extension StartedEvent: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__Started>) throws(DecodingFailure) -> StartedEvent {
        StartedEvent(
            worker: try Reading.string(wire.pointee.worker, "worker"),
            attempt: Int(wire.pointee.attempt),
            predictedTimeToFirstToken: try Reading.microseconds(wire.pointee.predicted_ttft_us, "predicted_ttft_us")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Started> {
        let wire = arena.make(aladdin__v1__started__init)
        wire.pointee.worker = arena.string(worker)
        wire.pointee.attempt = Writing.count32(attempt)
        wire.pointee.predicted_ttft_us = Writing.microseconds(predictedTimeToFirstToken)
        return wire
    }
}

extension TokensEvent: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__Tokens>) throws(DecodingFailure) -> TokensEvent {
        guard wire.pointee.n_ids == 0 || wire.pointee.n_ids == Int(wire.pointee.count) else {
            throw DecodingFailure(field: "ids", problem: .lengthMismatch)
        }
        return TokensEvent(
            firstIndex: Int(wire.pointee.first_index),
            count: Int(wire.pointee.count),
            ids: try Reading.tokens(wire.pointee.n_ids, wire.pointee.ids, "ids"),
            text: try Reading.string(wire.pointee.text, "text")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Tokens> {
        let wire = arena.make(aladdin__v1__tokens__init)
        wire.pointee.first_index = Writing.count32(firstIndex)
        wire.pointee.count = Writing.count32(count)
        wire.pointee.n_ids = ids.count
        wire.pointee.ids = arena.tokens(ids)
        wire.pointee.text = arena.string(text)
        return wire
    }
}

extension FinishedEvent: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__Finished>) throws(DecodingFailure) -> FinishedEvent {
        guard let reason = FinishReason(rawValue: Int32(truncatingIfNeeded: wire.pointee.reason.rawValue)) else {
            throw DecodingFailure(field: "reason", problem: .unknownValue)
        }
        return FinishedEvent(
            reason: reason,
            inputTokens: Int(wire.pointee.input_tokens),
            outputTokens: Int(wire.pointee.output_tokens)
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Finished> {
        let wire = arena.make(aladdin__v1__finished__init)
        wire.pointee.reason = Aladdin__V1__FinishReason(rawValue: .init(truncatingIfNeeded: reason.rawValue))
        wire.pointee.input_tokens = Writing.count32(inputTokens)
        wire.pointee.output_tokens = Writing.count32(outputTokens)
        return wire
    }
}
