internal import CAladdinMessages
internal import ServingModel

extension StepWorkload: WireMapped {
    static func read(_ wire: UnsafePointer<Aladdin__V1__Workload>) throws(DecodingFailure) -> StepWorkload {
        StepWorkload(
            kind: try kind(of: wire),
            prefillTokens: Int(wire.pointee.prefill_tokens),
            prefillSquares: try Reading.count(wire.pointee.prefill_squares, "prefill_squares"),
            decodeSequences: Int(wire.pointee.decode_sequences),
            contextTokens: try Reading.count(wire.pointee.context_tokens, "context_tokens")
        )
    }

    private static func kind(of wire: UnsafePointer<Aladdin__V1__Workload>) throws(DecodingFailure) -> Kind {
        switch wire.pointee.kind {
        case ALADDIN__V1__WORKLOAD_KIND__WORKLOAD_PREFILL: return .prefill
        case ALADDIN__V1__WORKLOAD_KIND__WORKLOAD_DECODE: return .decode
        case ALADDIN__V1__WORKLOAD_KIND__WORKLOAD_MIXED: return .mixed
        default: throw DecodingFailure(field: "kind", problem: .unknownValue)
        }
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__Workload> {
        let wire = arena.make(aladdin__v1__workload__init)
        wire.pointee.kind =
            switch kind {
            case .prefill: ALADDIN__V1__WORKLOAD_KIND__WORKLOAD_PREFILL
            case .decode: ALADDIN__V1__WORKLOAD_KIND__WORKLOAD_DECODE
            case .mixed: ALADDIN__V1__WORKLOAD_KIND__WORKLOAD_MIXED
            }
        wire.pointee.prefill_tokens = Writing.count32(prefillTokens)
        wire.pointee.prefill_squares = Writing.count64(prefillSquares)
        wire.pointee.decode_sequences = Writing.count32(decodeSequences)
        wire.pointee.context_tokens = Writing.count64(contextTokens)
        return wire
    }
}
