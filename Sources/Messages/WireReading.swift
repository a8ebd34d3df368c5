internal import CAladdinMessages
internal import ServingModel

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Bounds of what may come from outside, far beyond any honest value and far from the edges of 64 bits, so that sums of
/// many of them cannot overflow.
enum WireBounds {
    /// Tokens, squared tokens, sequences.
    static let largestCount: UInt64 = 1 << 48
    /// Ten years of 365.25 days.
    static let longestMicroseconds: UInt64 = 315_576_000_000_000
    static let longestMilliseconds = longestMicroseconds / 1000
    /// Of a profile's coefficients, either way.
    static let largestCoefficient = 1e12
}

/// Conversions from what protobuf-c unpacked, each checking one field.
enum Reading {
    /// protobuf-c's default for strings, outside of any arena.
    private nonisolated(unsafe) static let emptyString: UnsafePointer<CChar>? = {
        var message = Aladdin__V1__Hello()
        aladdin__v1__hello__init(&message)
        return UnsafePointer(message.name)
    }()

    static func string(_ text: UnsafePointer<CChar>?, _ field: String) throws(DecodingFailure) -> String {
        guard let text, text != emptyString else { return "" }
        // protobuf-c allocates a string's bytes and its terminator, no more.
        let count = MessageArena.byteCount(of: text) - 1
        guard count > 0 else { return "" }
        guard memchr(text, 0, count) == nil else { throw DecodingFailure(field: field, problem: .embeddedNUL) }
        guard let string = String(validatingCString: text) else {
            throw DecodingFailure(field: field, problem: .invalidUTF8)
        }
        return string
    }

    /// A text of at most so many bytes.
    static func string(
        _ text: UnsafePointer<CChar>?,
        _ field: String,
        atMost count: Int
    ) throws(DecodingFailure) -> String {
        let string = try string(text, field)
        guard string.utf8.count <= count else { throw DecodingFailure(field: field, problem: .outOfRange) }
        return string
    }

    static func strings(
        _ count: Int,
        _ texts: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?,
        _ field: String
    ) throws(DecodingFailure) -> [String] {
        guard let texts, count > 0 else { return [] }
        var strings: [String] = []
        strings.reserveCapacity(count)
        for index in 0..<count { strings.append(try string(texts[index], field)) }
        return strings
    }

    static func bytes(_ data: ProtobufCBinaryData) -> [UInt8] {
        [UInt8](UnsafeRawBufferPointer(start: data.data, count: data.data == nil ? 0 : data.len))
    }

    /// Token identifiers, at most `Int32.max` each.
    static func tokens(
        _ count: Int,
        _ ids: UnsafePointer<UInt32>?,
        _ field: String
    ) throws(DecodingFailure) -> [Int32] {
        guard let ids, count > 0 else { return [] }
        var largest: UInt32 = 0
        let tokens = [Int32](unsafeUninitializedCapacity: count) { buffer, initialised in
            for index in 0..<count {
                largest = max(largest, ids[index])
                buffer[index] = Int32(truncatingIfNeeded: ids[index])
            }
            initialised = count
        }
        guard largest <= UInt32(Int32.max) else { throw DecodingFailure(field: field, problem: .outOfRange) }
        return tokens
    }

    static func list<Element: WireMapped>(
        _ count: Int,
        _ pieces: UnsafeMutablePointer<UnsafeMutablePointer<Element.Wire>?>?,
        _ field: String
    ) throws(DecodingFailure) -> [Element] {
        guard let pieces, count > 0 else { return [] }
        var failure: DecodingFailure?
        let list = [Element](unsafeUninitializedCapacity: count) { buffer, initialised in
            while initialised < count {
                do throws(DecodingFailure) {
                    buffer.initializeElement(at: initialised, to: try required(pieces[initialised], ""))
                } catch {
                    failure = error.inside("\(field)[\(initialised)]")
                    return
                }
                initialised += 1
            }
        }
        if let failure { throw failure }
        return list
    }

    /// A list's length, before it is read.
    static func check(_ count: Int, atMost limit: Int, _ field: String) throws(DecodingFailure) {
        guard count <= limit else { throw DecodingFailure(field: field, problem: .outOfRange) }
    }

    static func optional<Value: WireMapped>(
        _ piece: UnsafeMutablePointer<Value.Wire>?,
        _ field: String
    ) throws(DecodingFailure) -> Value? {
        guard piece != nil else { return nil }
        return try required(piece, field)
    }

    static func required<Value: WireMapped>(
        _ piece: UnsafeMutablePointer<Value.Wire>?,
        _ field: String
    ) throws(DecodingFailure) -> Value {
        guard let piece else { throw DecodingFailure(field: field, problem: .missing) }
        do {
            return try Value.read(piece)
        } catch {
            throw field.isEmpty ? error : error.inside(field)
        }
    }

    /// The C structure of a member of a `oneof` that has no Swift type of its own.
    static func member<Wire>(
        _ piece: UnsafeMutablePointer<Wire>?,
        _ field: String
    ) throws(DecodingFailure) -> Wire {
        guard let piece else { throw DecodingFailure(field: field, problem: .missing) }
        return piece.pointee
    }

    static func count(_ value: UInt64, _ field: String) throws(DecodingFailure) -> Int {
        guard value <= WireBounds.largestCount else { throw DecodingFailure(field: field, problem: .outOfRange) }
        return Int(value)
    }

    static func finite(
        _ value: Double,
        _ field: String,
        in range: ClosedRange<Double> = -.greatestFiniteMagnitude ... .greatestFiniteMagnitude
    ) throws(DecodingFailure) -> Double {
        guard value.isFinite else { throw DecodingFailure(field: field, problem: .notFinite) }
        guard range.contains(value) else { throw DecodingFailure(field: field, problem: .outOfRange) }
        return value
    }

    static func microseconds(_ value: UInt64, _ field: String) throws(DecodingFailure) -> Interval {
        guard value <= WireBounds.longestMicroseconds else { throw DecodingFailure(field: field, problem: .outOfRange) }
        return Interval(nanoseconds: Int64(value) * 1000)
    }

    /// Nil for 0.
    static func microsecondsOrNil(_ value: UInt64, _ field: String) throws(DecodingFailure) -> Interval? {
        value == 0 ? nil : try microseconds(value, field)
    }

    static func milliseconds(_ value: UInt64, _ field: String) throws(DecodingFailure) -> Interval {
        guard value <= WireBounds.longestMilliseconds else { throw DecodingFailure(field: field, problem: .outOfRange) }
        return Interval(nanoseconds: Int64(value) * 1_000_000)
    }
}
