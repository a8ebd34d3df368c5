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

    private var bytes: [UInt8] = []

    mutating func append(_ more: some Sequence<UInt8>) {
        bytes.append(contentsOf: more)
    }

    var hasLeftovers: Bool { !bytes.isEmpty }

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
        guard bytes.count >= length else { return nil }
        defer { bytes.removeFirst(length) }
        return String(decoding: bytes.prefix(length), as: UTF8.self)
    }

    /// The next chunk, empty for the last, or nil if it is not complete yet.
    mutating func chunk() throws -> String? {
        let before = bytes
        guard let line = take(through: "\r\n") else { return nil }
        guard let length = Int(line, radix: 16) else { throw Failure(description: "no chunk length: \(line)") }
        guard bytes.count >= length + 2 else {
            bytes = before
            return nil
        }
        let chunk = String(decoding: bytes.prefix(length), as: UTF8.self)
        guard bytes[length..<length + 2].elementsEqual("\r\n".utf8) else {
            throw Failure(description: "no end of line after a chunk")
        }
        bytes.removeFirst(length + 2)
        return chunk
    }

    /// Text up to a delimiter, which is dropped.
    private mutating func take(through delimiter: String) -> String? {
        let delimiter = Array(delimiter.utf8)
        guard bytes.count >= delimiter.count else { return nil }
        for start in 0...(bytes.count - delimiter.count)
        where bytes[start..<start + delimiter.count].elementsEqual(delimiter) {
            let text = String(decoding: bytes[..<start], as: UTF8.self)
            bytes.removeFirst(start + delimiter.count)
            return text
        }
        return nil
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
