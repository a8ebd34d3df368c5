import EngineInterface
import ServingModel
import Testing

@testable import WorkerService

@Suite("What an engine has told until the loop takes it")
struct EngineMailboxTests {
    private let mailbox = EngineMailbox()
    private let first = SequenceID(rawValue: 1)
    private let second = SequenceID(rawValue: 2)

    private func put(_ text: String, of id: SequenceID, ids: [Int32] = [], at milliseconds: Int64) {
        let tokens = StreamedTokens(count: max(1, ids.count), ids: ids, text: text)
        mailbox.put(.tokens(id, tokens, at: .zero + .milliseconds(milliseconds)))
    }

    /// Each event in a word or two.
    private func take() -> [String] {
        mailbox.take().map { event in
            switch event {
            case .condition: "condition"
            case .tokens(let id, let tokens, let time):
                "\(id.rawValue): \(tokens.count) \(tokens.ids) \(tokens.text) \((time - .zero).milliseconds)"
            case .ended(let id, _, _): "\(id.rawValue) ended"
            }
        }
    }

    @Test("Pieces that follow on each other are told as one, with the time of the last")
    func pieces() {
        put("a", of: first, at: 1)
        put(" b", of: first, at: 2)
        put("c", of: second, at: 3)
        mailbox.put(.ended(first, .success(StreamedEnd(finish: .stop)), at: .zero))
        put("d", of: second, at: 4)
        #expect(take() == ["1: 2 [] a b 2.0", "2: 1 [] c 3.0", "1 ended", "2: 1 [] d 4.0"])
        put("e", of: second, at: 5)
        #expect(take() == ["2: 1 [] e 5.0"])
        #expect(take().isEmpty)
    }

    @Test("Tokens with identifiers are not mixed with others, which have none")
    func identifiers() {
        put("a", of: first, ids: [1, 2], at: 1)
        put("b", of: first, ids: [3], at: 2)
        put("c", of: first, at: 3)
        #expect(take() == ["1: 3 [1, 2, 3] ab 2.0", "1: 1 [] c 3.0"])
    }
}
