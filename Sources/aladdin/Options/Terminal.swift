internal import Foundation
internal import ServingModel

/// Standard output for answers, standard error for everything else.
enum Terminal {
    /// Keeps what the program opens from taking the place of standard streams that were closed before it started.
    static func claimStandardStreams() {
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]
        where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            // The lowest number that is free. What is written there fails, as it would if this were still closed.
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    /// Ends the program if that is impossible: an answer that nobody gets is work that failed.
    static func write(_ text: String) {
        let fault = put(text, to: STDOUT_FILENO)
        guard fault != 0 else { return }
        if fault == EPIPE {
            // Nobody reads on: as tools do, whoever ignored the signal.
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
        } else {
            complain("cannot write to standard output: \(String(cString: strerror(fault)))")
        }
        exit(1)
    }

    static func complain(_ text: String) {
        tell("aladdin: \(text)\n")
    }

    /// Says something beside the answer; what nobody can hear is no failure.
    static func tell(_ text: String) {
        _ = put(text, to: STDERR_FILENO)
    }

    /// - Returns: 0, or the number of what went wrong.
    private static func put(_ text: String, to descriptor: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
                if count >= 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
                } else if errno == EAGAIN {
                    // Somebody who shares the terminal or pipe does not want to wait; this does.
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&waiting, 1, -1)
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
    }

    /// Replaces the progress line; nothing unless standard error is a terminal.
    static func progress(_ text: String) {
        guard isatty(2) == 1 else { return }
        tell("\r\u{1B}[K\(text)")
    }

    static func json(_ object: Any) throws -> String {
        let data = try JSONSerialization.data(
            withJSONObject: object,
            options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        )
        return String(decoding: data, as: UTF8.self)
    }

    /// One line, for what is sent rather than read.
    static func compactJSON(_ object: Any) throws(Status) -> String {
        guard let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]) else {
            throw Status(.internalError, .none, "The answer can't be written as JSON.")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Columns padded to their widest cell; numbers, signed ones too, to the right.
    static func table(_ rows: [[String]]) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { $0.count > column ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                let isNumber = cell.first { $0 != "-" && $0 != "+" }?.isNumber ?? false
                return isNumber ? padding + cell : cell + padding
            }
            return cells.joined(separator: "  ").trimmingSuffix()
        }.joined(separator: "\n")
    }
}

extension Int {
    /// The number and the noun in its number: 1 worker, 2 workers.
    func counting(_ noun: String, _ plural: String? = nil) -> String {
        "\(self) \(self == 1 ? noun : plural ?? noun + "s")"
    }
}

extension String {
    fileprivate func trimmingSuffix() -> String {
        var text = Substring(self)
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
