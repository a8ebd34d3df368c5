import Testing

@Suite("The well-formedness checker")
struct WellFormednessTests {
    @Test(
        "Well-formed markup passes",
        arguments: ["<a/>", "<a b=\"c &amp; d\">e<f/>&#39;</a>", "<!DOCTYPE html>\n<html><p>x</p></html>\n"]
    )
    func passes(text: String) {
        #expect(WellFormedness.complaint(about: text) == nil)
    }

    @Test(
        "Every kind of mistake is found",
        arguments: [
            "", "<a>", "<a></b>", "<a/><b/>", "text<a/>", "<a b=c/>", "<a b=\"1\" b=\"2\"/>", "<a b=\"1\"c=\"2\"/>",
            "<a>&</a>", "<a>&nbsp;</a>", "<a b=\"&\"/>", "<a", "<a>< b</a>", "<a></a></a>",
        ]
    )
    func finds(text: String) {
        #expect(WellFormedness.complaint(about: text) != nil)
    }
}
