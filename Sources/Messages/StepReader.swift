package import ServingModel

/// A worker's report of a step, read straight from its bytes.
///
/// Of all messages there are most of these, with an entry for each sequence, so that what one entry costs decides how many
/// tokens a broker carries. Reports of the usual form are read in one pass, without C structures and with one list for the
/// identifiers of all. What is not of that form, be it wrong or merely rare (a failure, a field given twice), is left to
/// `WorkerReport.decode`, which has the last word on what is valid.
package struct StepReader {
    package struct Progress {
        package var lease = Lease(rawValue: 0)
        package var firstIndex = 0
        /// 0 for an entry without tokens.
        package var tokens = 0
        /// Of `ids`.
        package var ids = 0..<0
        package var text = ""
        package var finished: FinishedEvent?
    }

    package private(set) var workload: StepWorkload?
    package private(set) var duration = Interval.zero
    package private(set) var waiting = 0
    package private(set) var freeKVTokens = 0
    package private(set) var progress: [Progress] = []
    /// Of all tokens, in the order of `progress`.
    package private(set) var ids: [Int32] = []

    /// - Returns: nil for anything but a step of the usual form.
    package init?(_ body: [UInt8]) {
        let isRead = body.withUnsafeBytes { bytes in
            var wire = WireCursor(bytes)
            // WorkerReport, field 3.
            guard wire.tag() == 0x1A, let step = wire.piece(), wire.isAtEnd else { return false }
            return read(step)
        }
        guard isRead else { return nil }
    }

    private mutating func read(_ step: WireCursor) -> Bool {
        var wire = step
        var seen = FieldsSeen()
        // About what an entry with a token of a word takes.
        progress.reserveCapacity(wire.count / 24)
        ids.reserveCapacity(wire.count / 24)
        while let tag = wire.tag() {
            switch tag {
            case 0x0A:
                guard seen.first(1), let piece = wire.piece(), let workload = Self.workload(piece) else { return false }
                self.workload = workload
            case 0x10:
                guard seen.first(2), let number = wire.number(atMost: WireBounds.longestMicroseconds) else {
                    return false
                }
                duration = Interval(nanoseconds: Int64(number) * 1000)
            case 0x1A:
                guard let piece = wire.piece(), readProgress(piece) else { return false }
            case 0x20:
                guard seen.first(4), let number = wire.number(atMost: UInt64(UInt32.max)) else { return false }
                waiting = Int(number)
            case 0x28:
                guard seen.first(5), let number = wire.number(atMost: WireBounds.largestCount) else { return false }
                freeKVTokens = Int(number)
            default: return false
            }
        }
        return wire.isAtEnd
    }

    private mutating func readProgress(_ piece: WireCursor) -> Bool {
        var wire = piece
        var seen = FieldsSeen()
        var entry = Progress()
        while let tag = wire.tag() {
            switch tag {
            case 0x08:
                guard seen.first(1), let number = wire.number() else { return false }
                entry.lease = Lease(rawValue: number)
            case 0x12:
                guard seen.first(2), let piece = wire.piece(), readTokens(piece, into: &entry) else { return false }
            case 0x1A:
                guard seen.first(3), let piece = wire.piece(), let finished = Self.finished(piece) else { return false }
                entry.finished = finished
            default: return false
            }
        }
        guard wire.isAtEnd else { return false }
        progress.append(entry)
        return true
    }

    private mutating func readTokens(_ piece: WireCursor, into entry: inout Progress) -> Bool {
        var wire = piece
        var seen = FieldsSeen()
        let firstID = ids.count
        while let tag = wire.tag() {
            switch tag {
            case 0x08:
                guard seen.first(1), let number = wire.number(atMost: UInt64(UInt32.max)) else { return false }
                entry.firstIndex = Int(number)
            case 0x10:
                guard seen.first(2), let number = wire.number(atMost: UInt64(UInt32.max)) else { return false }
                entry.tokens = Int(number)
            case 0x1A:
                guard seen.first(3), var list = wire.piece() else { return false }
                while !list.isAtEnd {
                    guard let id = list.number(atMost: UInt64(Int32.max)) else { return false }
                    ids.append(Int32(id))
                }
            case 0x22:
                guard seen.first(4), let piece = wire.piece(), let text = piece.text() else { return false }
                entry.text = text
            default: return false
            }
        }
        entry.ids = firstID..<ids.count
        return wire.isAtEnd && (entry.ids.isEmpty || entry.ids.count == entry.tokens)
    }

    private static func finished(_ piece: WireCursor) -> FinishedEvent? {
        var wire = piece
        var seen = FieldsSeen()
        var reason: FinishReason?
        var inputTokens = 0
        var outputTokens = 0
        while let tag = wire.tag() {
            guard let number = wire.number(atMost: UInt64(UInt32.max)), seen.first(Int(tag >> 3)) else { return nil }
            switch tag {
            case 0x08: reason = FinishReason(rawValue: Int32(truncatingIfNeeded: number))
            case 0x10: inputTokens = Int(number)
            case 0x18: outputTokens = Int(number)
            default: return nil
            }
        }
        guard wire.isAtEnd, let reason else { return nil }
        return FinishedEvent(reason: reason, inputTokens: inputTokens, outputTokens: outputTokens)
    }

    private static func workload(_ piece: WireCursor) -> StepWorkload? {
        var wire = piece
        var seen = FieldsSeen()
        var numbers: (kind: UInt64, prefill: UInt64, squares: UInt64, decodes: UInt64, context: UInt64) = (
            0, 0, 0, 0, 0
        )
        while let tag = wire.tag() {
            guard let number = wire.number(atMost: WireBounds.largestCount), seen.first(Int(tag >> 3)) else {
                return nil
            }
            switch tag {
            case 0x08: numbers.kind = number
            case 0x10: numbers.prefill = number
            case 0x18: numbers.squares = number
            case 0x20: numbers.decodes = number
            case 0x28: numbers.context = number
            default: return nil
            }
        }
        guard wire.isAtEnd, let kind = StepWorkload.Kind(wire: numbers.kind), numbers.prefill <= UInt32.max,
            numbers.decodes <= UInt32.max
        else { return nil }
        return StepWorkload(
            kind: kind,
            prefillTokens: Int(numbers.prefill),
            prefillSquares: Int(numbers.squares),
            decodeSequences: Int(numbers.decodes),
            contextTokens: Int(numbers.context)
        )
    }
}

extension StepWorkload.Kind {
    fileprivate init?(wire number: UInt64) {
        switch number {
        case 1: self = .prefill
        case 2: self = .decode
        case 3: self = .mixed
        default: return nil
        }
    }
}
