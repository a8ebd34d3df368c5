// A worker whose model speaks backwards: `swift run SwiftWorker [BROKER [KEY-FILE]]`. README.md says how to run it.
import AladdinWorkerKit
import Foundation

/// Says the prompt's words in reverse, one word a token.
final class BackwardsEngine: Engine {
    let description = EngineDescription(
        model: "backwards",
        contextLength: 1024,
        resumesPrefix: true,
        capacity: EngineCapacity(kvTokens: 32 * 1024, maximumSequences: 32)
    )

    private struct Sequence {
        let words: [Substring]
        /// Index of the next token.
        var next: Int
    }

    private var sequences: [SequenceID: Sequence] = [:]

    func admit(_ request: SequenceRequest) throws(Status) -> Int {
        let text: String
        switch request.input {
        case .text(let prompt): text = prompt
        case .chat(let messages): text = messages.last?.content ?? ""
        case .tokens: throw Status(.invalidArgument, .unsupported, "this model reads text only")
        }
        let words = text.split(whereSeparator: \.isWhitespace)
        guard !words.isEmpty else { throw Status(.invalidArgument, .emptyPrompt, "the prompt is empty") }
        guard words.count * 2 <= description.contextLength else {
            throw Status(.invalidArgument, .promptTooLong, "the prompt has \(words.count) words; 512 are the most")
        }
        // A query that another worker of this model began goes on where that one stopped.
        sequences[request.id] = Sequence(words: words.reversed(), next: request.resumedTokens.count)
        return words.count
    }

    func step(_ step: EngineStep) throws(Status) -> [SequenceOutput] {
        // A real engine drops the KV of `step.preempted` and computes `step.chunks` and `step.decodes` as one batch.
        step.yielding.map { nextWord(of: $0) }
    }

    func release(_ sequence: SequenceID) {
        sequences[sequence] = nil
    }

    private func nextWord(of id: SequenceID) -> SequenceOutput {
        guard var sequence = sequences[id] else { preconditionFailure("a step is about admitted sequences only") }
        let index = sequence.next
        sequence.next += 1
        sequences[id] = sequence
        guard index < sequence.words.count else {
            return SequenceOutput(sequence: id, token: 0, text: "", finish: .stop)
        }
        let isLast = index + 1 == sequence.words.count
        return SequenceOutput(
            sequence: id,
            token: Int32(index + 1),
            text: (index == 0 ? "" : " ") + sequence.words[index],
            finish: isLast ? .stop : nil
        )
    }
}

@main
struct SwiftWorker {
    static func main() async {
        let arguments = CommandLine.arguments
        do {
            try await Worker(
                engine: BackwardsEngine(),
                broker: arguments.count > 1 ? arguments[1] : "tcp://127.0.0.1:5551",
                key: arguments.count > 2 ? WorkerKey(contentsOfFile: arguments[2]) : nil
            ).run()
        } catch {
            FileHandle.standardError.write(Data("SwiftWorker: \(error)\n".utf8))
            exit(1)
        }
    }
}
