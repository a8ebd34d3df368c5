internal import Testing

@Suite("The exposition parser that the tests read metrics with")
struct ExpositionParserTests {
    @Test("reads names, labels, escapes and numbers")
    func reads() throws {
        let parsed = try ExpositionParser(
            """
            # HELP a_total What it is.
            # TYPE a_total counter
            a_total 3
            a_total{x="1",y="q\\"\\\\\\n"} 2.5
            # TYPE h histogram
            h_bucket{le="+Inf"} 1

            """
        )
        #expect(parsed.help["a_total"] == "What it is.")
        #expect(parsed.value("a_total") == 3)
        #expect(parsed.value("a_total", ["x": "1", "y": "q\"\\\n"]) == 2.5)
        #expect(parsed.value("h_bucket", ["le": "+Inf"]) == 1)
    }

    @Test(
        "refuses what Prometheus would refuse",
        arguments: [
            "a_total 1\n", "# TYPE a_total counter\na_total one\n", "# TYPE a_total counter\na_total 1",
            "# TYPE a_total counter\na_total{x=1} 1\n", "# TYPE a_total counter\na_total{x=\"1\n",
            "# TYPE a_total counter\na_total 1\na_total 2\n", "# TYPE a_total counter\n# TYPE a_total counter\n",
            "# TYPE a_total counter\na_total{x=\"\\q\"} 1\n",
        ]
    )
    func refuses(text: String) {
        #expect(throws: ExpositionParser.Failure.self) { try ExpositionParser(text) }
    }
}
