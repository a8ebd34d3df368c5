/// Where a piece of work belongs in somebody's trace: W3C Trace Context, level 1 with level 2's random flag.
package struct TraceContext: Hashable, Sendable {
    package var trace: TraceID
    /// The span that this work is a part of; nil for work that nobody else has a span of.
    package var parent: SpanID?
    /// Whether somebody has decided that the trace is to be kept.
    package var isSampled: Bool
    /// Whether the trace's identifier is random, as level 2 can tell.
    package var isRandom = false
    /// `tracestate`: what other tracing systems pass on; empty if nothing.
    package var state = ""

    package init(trace: TraceID, parent: SpanID?, isSampled: Bool, state: String = "") {
        self.trace = trace
        self.parent = parent
        self.isSampled = isSampled
        self.state = state
    }

    /// Reads `traceparent` and `tracestate`; nil for a parent that the recommendation has ignored.
    ///
    /// A version that is not known is read as far as version 00 goes. A state that is malformed is ignored alone.
    package init?(traceparent: String, tracestate: String = "") {
        let groups = traceparent.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.count >= 4, groups.prefix(4).map(\.utf8.count) == [2, 32, 16, 2],
            let version = Self.hexadecimal(groups[0]), version < 0xFF, version > 0 || groups.count == 4,
            let high = Self.hexadecimal(groups[1].prefix(16)), let low = Self.hexadecimal(groups[1].dropFirst(16)),
            let parent = Self.hexadecimal(groups[2]), let flags = Self.hexadecimal(groups[3]),
            high | low != 0, parent != 0
        else { return nil }
        trace = TraceID(high: high, low: low)
        self.parent = SpanID(rawValue: parent)
        isSampled = flags & 1 != 0
        isRandom = flags & 2 != 0
        state = Self.isState(tracestate) ? tracestate : ""
    }

    /// The context of work that is a part of `span`.
    package func within(_ span: SpanID) -> TraceContext {
        var context = self
        context.parent = span
        return context
    }

    /// As in the header; nil without a span.
    package var traceparent: String? {
        parent.map { "00-\(trace)-\($0)-0\((isSampled ? 1 : 0) + (isRandom ? 2 : 0))" }
    }

    /// At most 32 pairs with commas between, in at most 512 visible bytes.
    private static func isState(_ text: String) -> Bool {
        guard text.utf8.count <= 512, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 }) else {
            return false
        }
        let pairs = text.split(separator: ",").filter { !$0.allSatisfy { $0 == " " || $0 == "\t" } }
        return pairs.count <= 32
            && pairs.allSatisfy { pair in
                let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return sides.count == 2 && !sides[0].isEmpty && !sides[1].isEmpty
            }
    }

    /// Lower case only, as the recommendation has it.
    private static func hexadecimal(_ text: Substring) -> UInt64? {
        var value: UInt64 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }
}
