internal import CEngine
internal import EngineInterface
internal import ReferenceEngine
internal import ServingModel

extension PluginEngine {
    /// More than any token stands for: a size beyond it is no size.
    private static let longestText = 1 << 20

    /// A plug-in's outputs in the order of the step, if they are what was asked for.
    func checked(
        _ outputs: [aladdin_output],
        count: Int64,
        expected: [SequenceID]
    ) throws(Status) -> [SequenceOutput] {
        guard count == expected.count else {
            throw Self.broken("made \(count) outputs where \(expected.count) were asked for")
        }
        let places = Dictionary(uniqueKeysWithValues: expected.enumerated().map { ($1.wire, $0) })
        var ordered = [SequenceOutput?](repeating: nil, count: expected.count)
        for output in outputs.prefix(expected.count) {
            guard let place = places[output.sequence] else {
                throw Self.broken("answered for sequence \(output.sequence), which gets no token from this step")
            }
            guard ordered[place] == nil else {
                throw Self.broken("answered twice for sequence \(output.sequence)")
            }
            ordered[place] = try checked(output, of: expected[place])
        }
        // As many as asked, all of them asked for, none twice: none is missing.
        return ordered.compactMap(\.self)
    }

    private func checked(_ output: aladdin_output, of id: SequenceID) throws(Status) -> SequenceOutput {
        guard output.token >= 0, output.token < text?.vocabularySize ?? .max else {
            throw Self.broken("made token \(output.token) for sequence \(id.rawValue), which is in no vocabulary")
        }
        let finish: FinishReason? =
            switch Int(output.finish) {
            case ALADDIN_GOES_ON: nil
            case ALADDIN_STOP: .stop
            case ALADDIN_LENGTH: .length
            default: throw Self.broken("ended sequence \(id.rawValue) by \(output.finish), which is no way to end")
            }
        return SequenceOutput(sequence: id, token: output.token, text: try text(of: output, id), finish: finish)
    }

    private func text(of output: aladdin_output, _ id: SequenceID) throws(Status) -> String {
        guard output.text.size > 0, text == nil else { return "" }
        guard let bytes = output.text.bytes, output.text.size <= Self.longestText else {
            throw Self.broken("gave sequence \(id.rawValue) a text of \(output.text.size) bytes that is not there")
        }
        let buffer = UnsafeRawBufferPointer(start: bytes, count: output.text.size)
        guard let text = String(validating: buffer, as: UTF8.self) else {
            throw Self.broken("gave sequence \(id.rawValue) a text that is not UTF-8, or ends within a character")
        }
        return text
    }

    private static func broken(_ what: String) -> Status {
        Status(.internalError, .engineFailed, "the plug-in \(what)")
    }
}
