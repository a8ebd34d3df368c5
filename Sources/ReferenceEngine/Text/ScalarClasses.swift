/// A text's scalars with what the pre-tokenizers' patterns ask of them.
struct ScalarClasses {
    enum Kind: UInt8 {
        /// `\p{L}`
        case letter
        /// `\p{N}`
        case number
        /// Carriage return or line feed.
        case newline
        /// `\s` but no newline.
        case space
        case other
    }

    var kinds: [Kind] = []
    var scalars: [Unicode.Scalar] = []

    init(_ text: Substring.UnicodeScalarView) {
        for scalar in text {
            scalars.append(scalar)
            kinds.append(Self.kind(of: scalar))
        }
    }

    var count: Int { scalars.count }

    func isSpace(_ index: Int) -> Bool {
        kinds[index] == .space || kinds[index] == .newline
    }

    /// Whether it is neither letter, number nor white space.
    func isOther(_ index: Int) -> Bool {
        kinds[index] == .other
    }

    /// The end of the run of one kind that begins at `index`.
    func runEnd(of kind: Kind, from index: Int) -> Int {
        var end = index
        while end < count, kinds[end] == kind { end += 1 }
        return end
    }

    /// The end of the run of white space, newlines included, that begins at `index`.
    func spaceEnd(from index: Int) -> Int {
        var end = index
        while end < count, isSpace(end) { end += 1 }
        return end
    }

    static func kind(of scalar: Unicode.Scalar) -> Kind {
        switch scalar.value {
        case 0x41...0x5A, 0x61...0x7A: return .letter
        case 0x30...0x39: return .number
        case 0x0A, 0x0D: return .newline
        case 0x20, 0x09, 0x0B, 0x0C: return .space
        case 0..<0x80: return .other
        default: break
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            return .letter
        case .decimalNumber, .letterNumber, .otherNumber:
            return .number
        default:
            return scalar.properties.isWhitespace ? .space : .other
        }
    }
}
