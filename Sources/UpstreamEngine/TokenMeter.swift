internal import EngineInterface

/// Turns pieces of text into numbered tokens.
///
/// What is owed to the broker: indices without gaps, never more than `max_tokens`, and text only together with a token.
/// What servers give: pieces of text, mostly one for a token, sometimes several tokens in one or none; a running count of
/// tokens from some; the true count at the end from most. Where there is a running count it is believed; otherwise a
/// piece is a token, and the count at the end makes up for what was missing. The token that `max_tokens` allows last is
/// held back until the end, so that there always is one to go with the last text.
struct TokenMeter: Hashable {
    private let maximum: Int
    private var counted = 0
    private var heldText = ""

    /// - Precondition: `maximum` is at least 1.
    init(maximum: Int) {
        precondition(maximum >= 1, "an answer may have a token")
        self.maximum = maximum
    }

    /// Bytes of text that wait for a token to go with.
    var heldBytes: Int { heldText.utf8.count }

    /// Takes a piece.
    ///
    /// - Parameters:
    ///   - isToken: whether the piece stands for a token, with text or without.
    ///   - total: tokens so far as the server counts them, if it does.
    mutating func take(_ text: String, isToken: Bool, total: Int?) -> StreamedTokens? {
        heldText += text
        let target = total ?? (isToken ? counted + 1 : counted)
        return emit(upTo: min(target, maximum - 1))
    }

    /// Takes the end and returns what was held back.
    ///
    /// - Parameter total: tokens of the whole answer as the server counts them, if it does.
    mutating func finish(total: Int?) -> StreamedTokens? {
        // Text that is left over takes a token even if the server counts none.
        emit(upTo: min(max(total ?? 0, heldText.isEmpty ? counted : counted + 1), maximum))
    }

    private mutating func emit(upTo target: Int) -> StreamedTokens? {
        guard target > counted else { return nil }
        defer {
            counted = target
            heldText = ""
        }
        return StreamedTokens(count: target - counted, text: heldText)
    }
}
