/// A configuration file: `NAME: VALUE`, one setting a line.
///
/// `#` begins a comment at the beginning of a line or after a blank; quotes keep it from that, and blanks at the ends.
/// Values are written as in the environment.
package struct ConfigurationFile: Hashable, Sendable {
    /// A file has this many bytes at most.
    package static let limit = 1 << 20

    package struct Entry: Hashable, Sendable {
        package var text: String
        package var line: Int

        package init(text: String, line: Int) {
            self.text = text
            self.line = line
        }
    }

    package private(set) var path: String
    package private(set) var entries: [String: Entry] = [:]
    /// All that is wrong with it, in its order.
    package private(set) var faults: [ConfigurationFault] = []

    /// - Parameter path: for messages.
    package init(_ text: String, path: String) {
        self.path = path
        let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
        for (index, line) in lines.enumerated() { read(line, number: index + 1) }
    }

    private mutating func read(_ line: Substring, number: Int) {
        let content = Self.trimmed(line)
        guard !content.isEmpty, content.first != "#", content != "---" else { return }
        guard let colon = content.firstIndex(of: ":") else {
            return complain(
                number,
                "'\(ConfigurationFault.shortened(String(content)))' is no setting; it must be NAME: VALUE"
            )
        }
        let name = String(Self.trimmed(content[..<colon]))
        let rest = content[content.index(after: colon)...]
        guard let text = Self.value(of: rest) else {
            let shown = ConfigurationFault.shortened(String(Self.trimmed(rest)))
            return complain(
                number,
                "\(name) is \(shown); what stands in quotes must end with one, and nothing after it"
            )
        }
        add(name, text, number)
    }

    private mutating func add(_ name: String, _ text: String, _ number: Int) {
        let shown = ConfigurationFault.shortened(text)
        guard let setting = SettingTable[name] else {
            let hint = SettingTable.nearest(to: name).map { "did you mean \($0)?" }
            return complain(
                number,
                "\(ConfigurationFault.shortened(name)) is '\(shown)', but there is no such setting; "
                    + (hint ?? "`aladdin config show` lists those there are")
            )
        }
        guard !setting.isSecret else {
            return complain(
                number,
                "\(name) is a secret, which does not belong in this file; it must be in \(setting.variable), or in a file "
                    + "named by \(name)-file"
            )
        }
        if let earlier = entries[name] {
            return complain(
                number,
                "\(name) is '\(shown)', and line \(earlier.line) says '\(ConfigurationFault.shortened(earlier.text))'; "
                    + "it must be said once"
            )
        }
        entries[name] = Entry(text: text, line: number)
        if let expectation = setting.form.expectation(unmetBy: text) {
            faults.append(ConfigurationFault(setting, text, .file(path: path, line: number), expectation))
        }
    }

    private mutating func complain(_ line: Int, _ words: String) {
        faults.append(ConfigurationFault("\(path):\(line): \(words)"))
    }

    /// What stands behind the colon, without quotes and comment; nil if a quote is wrong.
    private static func value(of text: Substring) -> String? {
        let text = trimmed(text)
        guard let quote = text.first, quote == "\"" || quote == "'" else {
            var end = text.startIndex
            var isAfterBlank = true
            while end < text.endIndex, !(text[end] == "#" && isAfterBlank) {
                isAfterBlank = text[end].isWhitespace
                end = text.index(after: end)
            }
            return String(trimmed(text[..<end]))
        }
        let inner = text.dropFirst()
        guard let end = inner.firstIndex(of: quote) else { return nil }
        let rest = trimmed(inner[inner.index(after: end)...])
        return rest.isEmpty || rest.first == "#" ? String(inner[..<end]) : nil
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first?.isWhitespace == true { text = text.dropFirst() }
        while text.last?.isWhitespace == true { text = text.dropLast() }
        return text
    }
}
