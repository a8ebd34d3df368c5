import Testing

@testable import Reports

@Suite("Numbers as text")
struct DecimalTextTests {
    @Test(
        "A fixed number of decimals, thousands separated",
        arguments: [
            (0, 0, "0"), (0, 2, "0.00"), (1, 0, "1"), (999, 0, "999"), (1000, 0, "1,000"),
            (1_234_567.891, 2, "1,234,567.89"), (0.05, 1, "0.1"), (0.5, 0, "1"), (1.5, 0, "2"), (-1.5, 0, "−2"),
            (-0.001, 2, "0.00"), (0.009, 2, "0.01"), (99.999, 2, "100.00"), (-1234.5, 1, "−1,234.5"),
            (1e14, 0, "100,000,000,000,000"), (1e15, 0, "1e15"), (-2.5e18, 1, "−2.5e18"),
            (1e13, 6, "10,000,000,000,000.000000"),
        ] as [(Double, Int, String)]
    )
    func fixed(value: Double, decimals: Int, text: String) {
        #expect(DecimalText.fixed(value, decimals: decimals) == text)
    }

    @Test(
        "Significant digits, whole digits always among them",
        arguments: [
            (0, "0"), (1, "1"), (1.2345, "1.23"), (12.345, "12.3"), (123.45, "123"), (12_345.6, "12,346"),
            (0.012_345, "0.0123"), (9.999, "10"), (0.9999, "1"), (99.96, "100"), (0.000_012_3, "0.0000123"),
            (1.234e-9, "1.23e−9"), (9.999e-8, "1e−7"), (-0.5, "−0.5"), (.leastNonzeroMagnitude, "4.94e−324"),
            (.greatestFiniteMagnitude, "1.8e308"),
        ] as [(Double, String)]
    )
    func significant(value: Double, text: String) {
        #expect(DecimalText.significant(value) == text)
    }

    @Test("What is no finite number is shown as such")
    func nonFinite() {
        #expect(DecimalText.significant(.nan) == "–")
        #expect(DecimalText.fixed(.infinity, decimals: 1) == "∞")
        #expect(DecimalText.fixed(-.infinity, decimals: 1) == "−∞")
    }

    @Test("Coordinates have one decimal at most and an ASCII sign")
    func coordinates() {
        #expect(
            [0, -0.04, 1.25, -3.96, 1000, .nan, 1e300].map(DecimalText.coordinate) == [
                "0", "0", "1.3", "-4", "1000", "0", "1000000000",
            ]
        )
    }

    @Test(
        "Exponents belong to the rounded number",
        arguments: [(1000, 3), (999.9999999999999, 3), (0.1, -1), (0.001, -3), (7, 0)] as [(Double, Int)]
    )
    func exponents(value: Double, exponent: Int) {
        #expect(DecimalText.exponent(of: value) == exponent)
    }
}
