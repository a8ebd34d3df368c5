/// XML and HTML text under construction: every attribute and every text passes through here and is escaped.
struct Markup {
    typealias Attributes = KeyValuePairs<String, String>

    private(set) var text = ""

    /// Adds `<name …/>`, or `<name …>content</name>` where there is content.
    mutating func element(_ name: String, _ attributes: Attributes = [:], _ content: String? = nil) {
        begin(name, attributes)
        if let content {
            text += ">" + Self.escaped(content) + "</\(name)>"
        } else {
            text += "/>"
        }
    }

    /// Adds `<name …>…</name>` around what `body` adds.
    mutating func element(_ name: String, _ attributes: Attributes = [:], around body: (inout Markup) -> Void) {
        begin(name, attributes)
        text += ">"
        body(&self)
        text += "</\(name)>"
    }

    /// Adds text that is shown as it is.
    mutating func content(_ string: String) {
        text += Self.escaped(string)
    }

    /// Adds markup that is already well formed.
    mutating func verbatim(_ markup: String) {
        text += markup
    }

    mutating func newline() {
        text += "\n"
    }

    private mutating func begin(_ name: String, _ attributes: Attributes) {
        text += "<" + name
        for (key, value) in attributes {
            text += " \(key)=\"" + Self.escaped(value) + "\""
        }
    }

    /// `string` with the five special characters escaped; characters that XML 1.0 forbids become U+FFFD.
    static func escaped(_ string: String) -> String {
        var result = ""
        result.reserveCapacity(string.utf8.count)
        for scalar in string.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20, "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
