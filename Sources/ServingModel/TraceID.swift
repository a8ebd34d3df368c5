/// The name of a trace: 128 bits, not all of them zero.
package struct TraceID: Hashable, Sendable, CustomStringConvertible {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The trace of a query that came without one: its identifier, without the dashes.
    package init(of query: QueryID) {
        self.init(high: query.high, low: query.low)
    }

    package var description: String { Hexadecimal.text(high) + Hexadecimal.text(low) }

    /// Whether it is among a share of all traces, the same everywhere: by its last 56 bits, the random ones.
    package func isAmong(share: Double) -> Bool {
        share >= 1 || Double(low & 0x00FF_FFFF_FFFF_FFFF) < share * 0x1p56
    }
}

/// The name of a span within its trace: 64 bits, not all of them zero.
package struct SpanID: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// One of a query's own spans: whoever knows the query knows their names, without being told.
    ///
    /// - Parameter part: 0 for the whole query; each other span has a number of its own.
    package init(of query: QueryID, part: UInt64) {
        // The finaliser of SplitMix64 (Steele, Lea, Flood 2014), over the identifier's random bits.
        var value = query.low ^ (query.high << 17 | query.high >> 47) &+ (part &+ 1) &* 0x9E37_79B9_7F4A_7C15
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        value ^= value >> 31
        rawValue = value == 0 ? 1 : value
    }

    package var description: String { Hexadecimal.text(rawValue) }
}

enum Hexadecimal {
    /// Sixteen digits.
    static func text(_ value: UInt64) -> String {
        String(unsafeUninitializedCapacity: 16) { buffer in
            for position in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * position)) & 0xF
                buffer[position] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
            }
            return 16
        }
    }
}
