import Testing

@testable import ReferenceEngine

@Suite("Text")
struct TextEmitterTests {
    private func emit(_ pieces: [String], stops: [String]) -> (texts: [String], stopped: Bool) {
        var emitter = TextEmitter(stops: stops)
        var texts: [String] = []
        for piece in pieces {
            let (text, stopped) = emitter.append(Array(piece.utf8))
            texts.append(text)
            if stopped { return (texts, true) }
        }
        texts.append(emitter.flush())
        return (texts, false)
    }

    @Test("text without stop strings passes at once")
    func passes() {
        #expect(emit(["ab", "", "c"], stops: []).texts == ["ab", "", "c", ""])
    }

    @Test("a stop string within a token ends the text before it")
    func withinToken() {
        let result = emit(["one STOP two"], stops: ["STOP"])
        #expect(result.texts == ["one "])
        #expect(result.stopped)
    }

    @Test("what may become a stop string is held back until it is certain")
    func heldBack() {
        #expect(emit(["ab", "c", "d", "X"], stops: ["bcdef"]).texts == ["a", "", "", "bcdX", ""])
        #expect(emit(["ab", "c"], stops: ["bcd"]).texts == ["a", "", "bc"])
        let stopped = emit(["ab", "c", "de"], stops: ["bcd"])
        #expect(stopped.texts == ["a", "", ""])
        #expect(stopped.stopped)
    }

    @Test("a stop string that overlaps itself is found")
    func overlap() {
        let result = emit(["a", "a", "a", "b"], stops: ["aab"])
        #expect(result.texts.joined() == "a")
        #expect(result.stopped)
    }

    @Test(
        "the answer does not depend on how it is cut into tokens",
        arguments: [["abcd", "bc"], ["bc", "abcd"], ["cdx", "d"]]
    )
    func cutsDoNotMatter(stops: [String]) {
        let text = Array("zzabcdxyz")
        let alone = emit([String(text)], stops: stops)
        for first in 0..<text.count {
            for second in first..<text.count {
                let cut = [String(text[..<first]), String(text[first..<second]), String(text[second...])]
                let result = emit(cut, stops: stops)
                #expect(result.texts.joined() == alone.texts.joined())
                #expect(result.stopped == alone.stopped)
            }
        }
    }

    @Test("characters that are spread over tokens come whole")
    func splitCharacters() {
        var decoder = StreamingDecoder()
        let bytes = Array("é🙂".utf8)
        let texts = bytes.map { String(decoding: decoder.append([$0]), as: UTF8.self) }
        #expect(texts == ["", "é", "", "", "", "🙂"])
    }

    @Test("bytes that are no text become replacement characters as in Swift's own decoder")
    func invalidBytes() {
        let samples: [[UInt8]] = [
            [0xFF, 0x41], [0xC3, 0x41], [0xE2, 0x82, 0x41], [0xF0, 0x9F, 0x41], [0xC0, 0x80, 0x41], [0x80, 0x41],
            [0xED, 0xA0, 0x80, 0x41], [0xF4, 0x90, 0x80, 0x80, 0x41], [0xE2, 0xE2, 0x82, 0xAC, 0x41],
        ]
        for sample in samples {
            var whole = StreamingDecoder()
            let expected = String(decoding: sample, as: UTF8.self)
            #expect(String(decoding: whole.append(sample), as: UTF8.self) == expected)
            var split = StreamingDecoder()
            let text = sample.flatMap { split.append([$0]) }
            #expect(String(decoding: text, as: UTF8.self) == expected)
        }
    }

    @Test("an incomplete character at the end is dropped")
    func incompleteEnd() {
        var emitter = TextEmitter(stops: [])
        #expect(emitter.append([0x61, 0xE2, 0x82]).text == "a")
        #expect(emitter.flush() == "")
    }
}
