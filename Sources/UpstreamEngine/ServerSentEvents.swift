internal import Glibc

/// The data of server-sent events, put together from bytes as they come.
///
/// As the HTML standard has it: lines end with LF, CR LF or CR; the `data` lines of an event are joined with LF; an empty
/// line ends it; comments and fields of other names are skipped; an event that the stream ends within is dropped.
struct ServerSentEvents {
    /// No event and no line may be longer.
    static let maximumBytes = 1 << 20

    struct TooLong: Error {}

    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    /// Whether the last byte was a CR, so that an LF belongs to it.
    private var endedWithReturn = false
    private var isAtStart = true

    /// Takes bytes and returns the events that they complete.
    mutating func take(_ bytes: [UInt8]) throws(TooLong) -> [[UInt8]] {
        var events: [[UInt8]] = []
        var rest = bytes[...]
        while let first = rest.first {
            if first == UInt8(ascii: "\n"), endedWithReturn {
                rest.removeFirst()
                endedWithReturn = false
                continue
            }
            if line.isEmpty, !hasData, let event = Self.popWhole(&rest) {
                guard event.count < Self.maximumBytes else { throw TooLong() }
                events.append(event)
                endedWithReturn = false
                isAtStart = false
                continue
            }
            let end = rest.firstIndex { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") } ?? rest.endIndex
            guard line.count + (end - rest.startIndex) <= Self.maximumBytes else { throw TooLong() }
            line += rest[..<end]
            rest = rest[end...]
            endedWithReturn = false
            guard let ending = rest.popFirst() else { break }
            endedWithReturn = ending == UInt8(ascii: "\r")
            if let event = try endLine() { events.append(event) }
        }
        return events
    }

    /// Takes an event from the front that is there as a whole, in one line of data and an empty one, as nearly all are.
    ///
    /// - Returns: nil for any other.
    private static func popWhole(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        let place: (content: Range<Int>, next: Int)? = rest.withUnsafeBytes { bytes in
            guard bytes.starts(with: "data:".utf8), let end = index(of: "\n", in: bytes[...]), end + 1 < bytes.count,
                bytes[end + 1] == UInt8(ascii: "\n"), index(of: "\r", in: bytes[..<end]) == nil
            else { return nil }
            let start = bytes[5] == UInt8(ascii: " ") ? 6 : 5
            return (start..<end, end + 2)
        }
        guard let place else { return nil }
        defer { rest = rest.dropFirst(place.next) }
        return Array(rest.dropFirst(place.content.lowerBound).prefix(place.content.count))
    }

    private mutating func endLine() throws(TooLong) -> [UInt8]? {
        defer { line.removeAll(keepingCapacity: true) }
        if isAtStart, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        isAtStart = false
        guard !line.isEmpty else {
            defer {
                data.removeAll(keepingCapacity: true)
                hasData = false
            }
            return hasData ? data : nil
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        guard line[..<colon].elementsEqual("data".utf8) else { return nil }
        var value = line[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value.removeFirst() }
        guard data.count + value.count < Self.maximumBytes else { throw TooLong() }
        if hasData { data.append(UInt8(ascii: "\n")) }
        data += value
        hasData = true
        return nil
    }

    private static func index(of character: Unicode.Scalar, in bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        let bytes = UnsafeRawBufferPointer(rebasing: bytes)
        guard let start = bytes.baseAddress, let found = memchr(start, CInt(character.value), bytes.count) else {
            return nil
        }
        return start.distance(to: found)
    }
}
