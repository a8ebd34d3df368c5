import EngineInterface
import ServingModel
import Testing

@testable import UpstreamEngine

@Suite("Counting tokens")
struct TokenMeterTests {
    @Test("A piece is a token where nobody counts, and the last is held back until the end")
    func plain() {
        var meter = TokenMeter(maximum: 3)
        #expect(meter.take("a", isToken: true, total: nil) == StreamedTokens(count: 1, text: "a"))
        #expect(meter.take("", isToken: false, total: nil) == nil)
        #expect(meter.take("b", isToken: true, total: nil) == StreamedTokens(count: 1, text: "b"))
        #expect(meter.take("c", isToken: true, total: nil) == nil)
        #expect(meter.finish(total: nil) == StreamedTokens(count: 1, text: "c"))
    }

    @Test("A server's own count is believed: several tokens in a piece, or none")
    func running() {
        var meter = TokenMeter(maximum: 10)
        #expect(meter.take("a b c", isToken: true, total: 3) == StreamedTokens(count: 3, text: "a b c"))
        // A character that is not whole yet: a token without text, then text of two tokens.
        #expect(meter.take("", isToken: false, total: 4) == StreamedTokens(count: 1, text: ""))
        #expect(meter.take("ä", isToken: true, total: 4) == nil)
        #expect(meter.take("!", isToken: true, total: 5) == StreamedTokens(count: 1, text: "ä!"))
        #expect(meter.finish(total: 6) == StreamedTokens(count: 1, text: ""))
    }

    @Test("The count at the end makes up for pieces of several tokens")
    func correction() {
        var meter = TokenMeter(maximum: 10)
        #expect(meter.take("a b", isToken: true, total: nil)?.count == 1)
        #expect(meter.finish(total: 7) == StreamedTokens(count: 6, text: ""))
    }

    @Test("Whatever a server does, indices stay in bounds and no text is lost")
    func hostile() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<5000 {
            let maximum = Int.random(in: 1...6, using: &random)
            var meter = TokenMeter(maximum: maximum)
            var text = ""
            var sent = ""
            var count = 0
            func note(_ tokens: StreamedTokens?) {
                guard let tokens else { return }
                #expect(tokens.count >= 1 && tokens.ids.isEmpty)
                text += tokens.text
                count += tokens.count
            }
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let piece = Bool.random(using: &random) ? "x" : ""
                let total = Bool.random(using: &random) ? Int.random(in: -2...20, using: &random) : nil
                sent += piece
                note(meter.take(piece, isToken: Bool.random(using: &random), total: total))
                #expect(count < maximum)
            }
            note(meter.finish(total: Bool.random(using: &random) ? Int.random(in: -2...20, using: &random) : nil))
            #expect(text == sent)
            #expect(count <= maximum)
        }
    }
}
