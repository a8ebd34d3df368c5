internal import Foundation

/// Colours of a terminal, or none.
struct TextStyle {
    enum Color: Int {
        case red = 31
        case green = 32
        case yellow = 33
        case blue = 34
        case magenta = 35
    }

    /// Without any escape sequence.
    var isPlain: Bool

    func strong(_ text: String) -> String { paint(text, 1) }

    func soft(_ text: String) -> String { paint(text, 2) }

    /// A share of kept promises.
    func judged(_ share: Double) -> String {
        paint(share.percent, (share >= 0.97 ? Color.green : share >= 0.9 ? .yellow : .red).rawValue)
    }

    func bar(_ length: Int, _ color: Color, _ block: Character = "█") -> String {
        length > 0 ? paint(String(repeating: block, count: length), color.rawValue) : ""
    }

    /// What a bar leaves empty.
    func rest(_ length: Int) -> String {
        length > 0 ? soft(String(repeating: "·", count: length)) : ""
    }

    /// What of a line fits so many columns; escape sequences take none, and all of them are kept.
    static func clipped(_ line: String, to columns: Int) -> String {
        var (clipped, width, isEscaped) = ("", 0, false)
        for character in line {
            if character == "\u{1B}" { isEscaped = true }
            if isEscaped {
                clipped.append(character)
                if character == "m" { isEscaped = false }
            } else if width < columns {
                clipped.append(character)
                width += 1
            }
        }
        return clipped
    }

    private func paint(_ text: String, _ code: Int) -> String {
        isPlain ? text : "\u{1B}[\(code)m\(text)\u{1B}[0m"
    }
}
