/// How wide text comes out, without knowing the font: estimated for a broad sans serif, so seldom too little.
enum TextWidth {
    /// In units of the drawing, for text of `size`.
    static func of(_ text: String, size: Double = Drawing.fontSize) -> Double {
        text.unicodeScalars.reduce(0) { $0 + ems($1) } * size
    }

    /// `text`, or as much of it as `width` holds with an ellipsis behind.
    static func shortened(_ text: String, to width: Double, size: Double = Drawing.fontSize) -> String {
        guard of(text, size: size) > width else { return text }
        var result = text
        while !result.isEmpty, of(result, size: size) + 0.9 * size > width { result.removeLast() }
        return result + "…"
    }

    private static func ems(_ scalar: Unicode.Scalar) -> Double {
        switch scalar {
        case "i", "j", "l", "I", ".", ",", ":", ";", "'", "|", "!", " ", "\u{A0}": 0.34
        case "f", "r", "t", "(", ")", "[", "]", "/", "-": 0.42
        case "m", "w", "M", "W", "%", "@": 0.92
        case "A"..."Z": 0.7
        case "\u{300}"..."\u{36F}": 0
        case "\u{1100}"..."\u{11FF}", "\u{2E80}"..."\u{FFEF}", "\u{1F000}"...: 1.05
        default: 0.61
        }
    }
}
