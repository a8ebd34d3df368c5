internal import CAladdinMessages
internal import ServingModel

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Conversions to what protobuf-c packs, each held at the bounds that `Reading` takes.
enum Writing {
    static func count32(_ value: Int) -> UInt32 { UInt32(clamping: value) }

    static func count64(_ value: Int) -> UInt64 { min(UInt64(clamping: value), WireBounds.largestCount) }

    /// To the nearest microsecond.
    static func microseconds(_ interval: Interval) -> UInt64 {
        let nanoseconds = UInt64(max(0, interval.nanoseconds))
        return min((nanoseconds + 500) / 1000, WireBounds.longestMicroseconds)
    }

    /// At least 1 unless nil, which is 0.
    static func microseconds(_ interval: Interval?) -> UInt64 {
        guard let interval else { return 0 }
        return max(1, microseconds(interval))
    }

    /// Rounded up.
    static func milliseconds(_ interval: Interval) -> UInt64 {
        let nanoseconds = UInt64(max(0, interval.nanoseconds))
        return min((nanoseconds + 999_999) / 1_000_000, WireBounds.longestMilliseconds)
    }

    /// Rounded up, at least 1 unless nil, which is 0.
    static func milliseconds(_ interval: Interval?) -> UInt64 {
        guard let interval else { return 0 }
        return max(1, milliseconds(interval))
    }

    static func metric(_ value: Double) -> Double { value.isFinite ? value : 0 }
}

extension MessageArena {
    /// A C structure as its generated `init` function leaves it.
    mutating func make<Wire>(_ initialise: (UnsafeMutablePointer<Wire>?) -> Void) -> UnsafeMutablePointer<Wire> {
        let piece = array(of: Wire.self, count: 1)
        initialise(piece)
        return piece
    }

    /// A terminated copy; NULs in it become U+FFFD.
    mutating func string(_ text: String) -> UnsafeMutablePointer<CChar> {
        var text = text
        return text.withUTF8 { bytes in
            if let start = bytes.baseAddress, memchr(start, 0, bytes.count) != nil { return replacingNULs(in: bytes) }
            let copy = array(of: CChar.self, count: bytes.count + 1)
            let target = UnsafeMutableRawBufferPointer(start: copy, count: bytes.count)
            target.copyMemory(from: UnsafeRawBufferPointer(bytes))
            copy[bytes.count] = 0
            return copy
        }
    }

    /// A terminated copy of what fits into so many bytes, cut between characters' scalars.
    mutating func string(_ text: String, atMost count: Int) -> UnsafeMutablePointer<CChar> {
        // A NUL takes three bytes as U+FFFD.
        func size(_ scalar: Unicode.Scalar) -> Int { scalar.value == 0 ? 3 : scalar.utf8.count }
        guard text.utf8.count > count || text.unicodeScalars.reduce(0, { $0 + size($1) }) > count else {
            return string(text)
        }
        var room = count
        return string(
            String(
                String.UnicodeScalarView(
                    text.unicodeScalars.prefix { scalar in
                        room -= size(scalar)
                        return room >= 0
                    }
                )
            )
        )
    }

    mutating func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
        guard !bytes.isEmpty else { return ProtobufCBinaryData() }
        let copy = array(of: UInt8.self, count: bytes.count)
        bytes.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(start: copy, count: $0.count).copyMemory(from: $0)
        }
        return ProtobufCBinaryData(len: bytes.count, data: copy)
    }

    /// Token identifiers; negative ones, which are none, become 0.
    mutating func tokens(_ ids: [Int32]) -> UnsafeMutablePointer<UInt32>? {
        map(ids) { UInt32(clamping: $0) }
    }

    /// A number for each element; nil if there are none.
    mutating func map<Element, Number: BitwiseCopyable>(
        _ elements: [Element],
        _ number: (Element) -> Number
    ) -> UnsafeMutablePointer<Number>? {
        guard !elements.isEmpty else { return nil }
        let numbers = array(of: Number.self, count: elements.count)
        for index in elements.indices { numbers[index] = number(elements[index]) }
        return numbers
    }

    mutating func strings(_ texts: [String]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
        guard !texts.isEmpty else { return nil }
        let list = array(of: UnsafeMutablePointer<CChar>?.self, count: texts.count)
        for index in texts.indices { list[index] = string(texts[index]) }
        return list
    }

    mutating func list<Element: WireMapped>(
        _ elements: [Element]
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Element.Wire>?>? {
        guard !elements.isEmpty else { return nil }
        let list = array(of: UnsafeMutablePointer<Element.Wire>?.self, count: elements.count)
        for index in elements.indices { list[index] = elements[index].write(in: &self) }
        return list
    }

    private mutating func replacingNULs(in bytes: UnsafeBufferPointer<UInt8>) -> UnsafeMutablePointer<CChar> {
        var replaced: [UInt8] = []
        for byte in bytes { byte == 0 ? replaced.append(contentsOf: [0xEF, 0xBF, 0xBD]) : replaced.append(byte) }
        replaced.append(0)
        let copy = array(of: CChar.self, count: replaced.count)
        replaced.withUnsafeBytes {
            UnsafeMutableRawBufferPointer(start: copy, count: $0.count).copyMemory(from: $0)
        }
        return copy
    }

    /// Uninitialised memory, for encoding only: those arenas have no budget to exceed.
    private mutating func array<Element>(of type: Element.Type, count: Int) -> UnsafeMutablePointer<Element> {
        guard let piece = allocate(count * MemoryLayout<Element>.stride) else {
            preconditionFailure("an encoding arena has no budget")
        }
        return piece.bindMemory(to: type, capacity: count)
    }
}
