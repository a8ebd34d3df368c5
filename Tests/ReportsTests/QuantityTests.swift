import Reports
import Testing

@Suite("Quantities")
struct QuantityTests {
    @Test(
        "Each is written with its unit, which never breaks away from its number",
        arguments: [
            (.number, 1234.5, "1,235"), (.count, 27, "27"), (.unit("tokens"), 108.25, "108 tokens"),
            (.seconds, 0, "0 s"), (.seconds, 0.000_012, "12 µs"), (.seconds, 0.0999, "99.9 ms"),
            (.seconds, 0.9996, "1 s"), (.seconds, 2, "2 s"), (.seconds, 119, "119 s"), (.seconds, 600, "10 min"),
            (.seconds, 86_400, "24 h"), (.seconds, -0.25, "−250 ms"), (.money("$"), 2361.6, "$2,362"),
            (.money("$"), 12, "$12.00"), (.money("€"), -0.0123, "−€0.0123"), (.number, .nan, "–"),
        ] as [(Quantity, Double, String)]
    )
    func text(quantity: Quantity, value: Double, text: String) {
        #expect(quantity.text(value) == nonBreaking(text))
    }

    @Test(
        "A share just below one is not rounded up to it",
        arguments: [
            (0, "0 %"), (0.0345, "3.45 %"), (0.99, "99 %"), (0.9903, "99.0 %"), (0.9921, "99.2 %"), (0.9996, "99.96 %"),
            (0.999_94, "99.994 %"), (0.999_999_9, "99.999 %"), (1, "100 %"), (-0.05, "−5 %"), (1.234, "123.4 %"),
        ] as [(Double, String)]
    )
    func shares(value: Double, text: String) {
        #expect(Quantity.fraction.text(value) == nonBreaking(text))
    }

    private func nonBreaking(_ text: String) -> String {
        var result = ""
        for character in text { result.append(character == " " ? "\u{A0}" : character) }
        return result
    }
}
