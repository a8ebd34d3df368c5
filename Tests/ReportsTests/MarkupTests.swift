import Testing

@testable import Reports

@Suite("Markup")
struct MarkupTests {
    @Test("What is special in XML and HTML is escaped, in texts and in attributes")
    func escapes() {
        var markup = Markup()
        markup.element("a", ["b": "\"<'&>\""], "</a><script>alert('&amp;')</script>")
        #expect(
            markup.text == "<a b=\"&quot;&lt;&#39;&amp;&gt;&quot;\">"
                + "&lt;/a&gt;&lt;script&gt;alert(&#39;&amp;amp;&#39;)&lt;/script&gt;</a>"
        )
    }

    @Test("Characters that XML forbids are replaced, others are kept")
    func replacesControls() {
        #expect(Markup.escaped("a\u{0}b\u{1B}c\u{FFFF}d") == "a\u{FFFD}b\u{FFFD}c\u{FFFD}d")
        #expect(Markup.escaped("tab\tline\nµs é 日本 🧞") == "tab\tline\nµs é 日本 🧞")
    }

    @Test("Elements nest")
    func nests() {
        var markup = Markup()
        markup.element("g") { markup in
            markup.element("path", ["d": "M0 0"])
            markup.content("x")
        }
        #expect(markup.text == "<g><path d=\"M0 0\"/>x</g>")
    }
}
