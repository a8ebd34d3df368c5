internal import NIOCore

/// Reads HTTP/1.1 responses from bytes as they come: enough of the protocol to test a server, strictly.
struct HTTPResponseParser {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    struct Head: Equatable {
        var status: Int
        /// Names in lower case.
        var headers: [String: String]
    }

    /// How the end of a body is told.
    enum Framing: Equatable {
        case length(Int)
        case chunked
    }

    private var buffer = ByteBuffer()

    mutating func append(_ more: some Sequence<UInt8>) {
        buffer.discardReadBytes()
        buffer.writeBytes(more)
    }

    var hasLeftovers: Bool { buffer.readableBytes > 0 }

    /// The head, or nil if it is not complete yet.
    mutating func head() throws -> Head? {
        guard let text = take(through: "\r\n\r\n") else { return nil }
        let lines = text.components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw Failure(description: "no status line: \(lines[0])")
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw Failure(description: "no header: \(line)") }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            guard headers.updateValue(String(value), forKey: line[..<colon].lowercased()) == nil else {
                throw Failure(description: "header twice: \(line)")
            }
        }
        return Head(status: status, headers: headers)
    }

    static func framing(of head: Head) throws -> Framing {
        let length = head.headers["content-length"].flatMap { Int($0) }
        switch (length, head.headers["transfer-encoding"]) {
        case (let length?, nil): return .length(length)
        case (nil, "chunked"): return .chunked
        default: throw Failure(description: "neither or both of content-length and chunked: \(head.headers)")
        }
    }

    /// A body of known length, or nil if it is not complete yet.
    mutating func body(length: Int) -> String? {
        buffer.readString(length: length)
    }

    /// The next chunk, empty for the last, or nil if it is not complete yet.
    mutating func chunk() throws -> String? {
        let before = buffer.readerIndex
        guard let line = take(through: "\r\n") else { return nil }
        guard let length = Int(line, radix: 16) else { throw Failure(description: "no chunk length: \(line)") }
        guard buffer.readableBytes >= length + 2 else {
            buffer.moveReaderIndex(to: before)
            return nil
        }
        let chunk = buffer.readString(length: length)
        guard buffer.readString(length: 2) == "\r\n" else {
            throw Failure(description: "no end of line after a chunk")
        }
        return chunk
    }

    /// Text up to a delimiter, which is dropped.
    private mutating func take(through delimiter: String) -> String? {
        let bytes = buffer.readableBytesView
        guard let range = bytes.firstRange(of: delimiter.utf8) else { return nil }
        defer { buffer.moveReaderIndex(forwardBy: delimiter.utf8.count) }
        return buffer.readString(length: range.lowerBound - bytes.startIndex)
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
