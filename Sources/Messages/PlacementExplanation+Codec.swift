internal import CAladdinMessages
internal import ServingModel

/// What an explanation may hold on the wire; more is cut off when it is sent and refused when it is received.
enum ExplanationBounds {
    static let candidates = PlacementExplanation.maximumCandidates
    /// Of one candidate.
    static let terms = 16
    /// Of a term's name, in bytes.
    static let name = 64
    /// Of a reason or a failed constraint, in bytes.
    static let text = 256
}

extension PlacementExplanation: WireMapped {
    static func read(
        _ wire: UnsafePointer<Aladdin__V1__PlacementExplanation>
    ) throws(DecodingFailure) -> PlacementExplanation {
        try Reading.check(wire.pointee.n_candidates, atMost: ExplanationBounds.candidates, "candidates")
        return PlacementExplanation(
            reason: try Reading.string(wire.pointee.reason, "reason", atMost: ExplanationBounds.text),
            held: try Reading.microseconds(wire.pointee.held_us, "held_us"),
            batch: Int(wire.pointee.batch),
            candidates: try Reading.list(wire.pointee.n_candidates, wire.pointee.candidates, "candidates")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__PlacementExplanation> {
        let wire = arena.make(aladdin__v1__placement_explanation__init)
        let kept = Array(candidates.prefix(ExplanationBounds.candidates))
        wire.pointee.reason = arena.string(reason, atMost: ExplanationBounds.text)
        wire.pointee.held_us = Writing.microseconds(held)
        wire.pointee.batch = Writing.count32(batch)
        wire.pointee.n_candidates = kept.count
        wire.pointee.candidates = arena.list(kept)
        return wire
    }
}

extension PlacementExplanation.Candidate: WireMapped {
    static func read(
        _ wire: UnsafePointer<Aladdin__V1__PlacementCandidate>
    ) throws(DecodingFailure) -> PlacementExplanation.Candidate {
        try Reading.check(wire.pointee.n_terms, atMost: ExplanationBounds.terms, "terms")
        return PlacementExplanation.Candidate(
            worker: WorkerID(rawValue: wire.pointee.worker),
            terms: try Reading.list(wire.pointee.n_terms, wire.pointee.terms, "terms"),
            failed: try Reading.string(wire.pointee.failed, "failed", atMost: ExplanationBounds.text)
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__PlacementCandidate> {
        let wire = arena.make(aladdin__v1__placement_candidate__init)
        let kept = Array(terms.prefix(ExplanationBounds.terms))
        wire.pointee.worker = worker.rawValue
        wire.pointee.n_terms = kept.count
        wire.pointee.terms = arena.list(kept)
        wire.pointee.failed = arena.string(failed, atMost: ExplanationBounds.text)
        return wire
    }
}

extension PlacementExplanation.Term: WireMapped {
    static func read(
        _ wire: UnsafePointer<Aladdin__V1__PlacementTerm>
    ) throws(DecodingFailure) -> PlacementExplanation.Term {
        PlacementExplanation.Term(
            try Reading.string(wire.pointee.name, "name", atMost: ExplanationBounds.name),
            try Reading.finite(wire.pointee.value, "value")
        )
    }

    func write(in arena: inout MessageArena) -> UnsafeMutablePointer<Aladdin__V1__PlacementTerm> {
        let wire = arena.make(aladdin__v1__placement_term__init)
        wire.pointee.name = arena.string(name, atMost: ExplanationBounds.name)
        // An infinite cost is held at the largest number: as 0 it would look like the best.
        let largest = Double.greatestFiniteMagnitude
        wire.pointee.value = value.isNaN ? 0 : min(max(value, -largest), largest)
        return wire
    }
}
