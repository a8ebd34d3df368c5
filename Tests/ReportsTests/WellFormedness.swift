/// Says what is wrong with markup that should be well-formed XML; nil where nothing is.
///
/// Knows what this project writes: elements, quoted attributes, text, the five named and decimal entities, a doctype.
struct WellFormedness {
    private var rest: Substring
    private var open: [String] = []
    private var roots = 0

    static func complaint(about text: String) -> String? {
        var reader = WellFormedness(rest: text[...])
        return reader.read()
    }

    private init(rest: Substring) {
        self.rest = rest
    }

    private mutating func read() -> String? {
        if rest.hasPrefix("<!DOCTYPE html>") { rest = rest.dropFirst(15) }
        while let character = rest.first {
            let complaint: String?
            if character == "<" {
                complaint = readTag()
            } else {
                let text = rest.prefix { $0 != "<" }
                rest = rest[text.endIndex...]
                complaint = Self.complaint(inText: text, isOutside: open.isEmpty)
            }
            if let complaint { return complaint + " before: " + rest.prefix(60) }
        }
        if let name = open.last { return "<\(name)> is never closed" }
        return roots == 1 ? nil : "\(roots) root elements"
    }

    private mutating func readTag() -> String? {
        guard let end = rest.firstIndex(of: ">") else { return "a tag without end" }
        var tag = rest[rest.index(after: rest.startIndex)..<end]
        rest = rest[rest.index(after: end)...]
        if tag.first == "/" {
            let name = String(tag.dropFirst())
            return open.popLast() == name ? nil : "</\(name)> closes another element"
        }
        let isEmpty = tag.last == "/"
        if isEmpty { tag = tag.dropLast() }
        let name = tag.prefix { $0 != " " }
        guard !name.isEmpty, name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) }) else {
            return "no element name: \(tag.prefix(20))"
        }
        if open.isEmpty { roots += 1 }
        if !isEmpty { open.append(String(name)) }
        return Self.complaint(inAttributes: tag.dropFirst(name.count))
    }

    private static func complaint(inAttributes attributes: Substring) -> String? {
        var rest = attributes
        var seen: Set<Substring> = []
        while !rest.isEmpty {
            guard rest.first == " " else { return "attributes run together: \(rest)" }
            rest = rest.dropFirst()
            let name = rest.prefix { $0.isLetter || $0 == "-" || $0 == ":" }
            guard !name.isEmpty, seen.insert(name).inserted else { return "no new attribute: \(rest)" }
            rest = rest.dropFirst(name.count)
            guard rest.hasPrefix("=\"") else { return "attribute without value: \(rest)" }
            rest = rest.dropFirst(2)
            let value = rest.prefix { $0 != "\"" }
            guard value.endIndex < rest.endIndex else { return "a value without end: \(rest)" }
            if let complaint = complaint(inText: value, isOutside: false) { return complaint }
            rest = rest.dropFirst(value.count + 1)
        }
        return nil
    }

    private static func complaint(inText text: Substring, isOutside: Bool) -> String? {
        if isOutside, text.contains(where: { !$0.isWhitespace }) { return "text outside of the root: \(text)" }
        var rest = text
        while let start = rest.firstIndex(of: "&") {
            rest = rest[rest.index(after: start)...]
            guard let end = rest.firstIndex(of: ";") else { return "a bare &" }
            let entity = rest[..<end]
            let isNumber = entity.first == "#" && entity.dropFirst().allSatisfy(\.isNumber)
            guard isNumber || ["amp", "lt", "gt", "quot", "apos"].contains(entity) else { return "&\(entity);" }
        }
        return nil
    }
}
