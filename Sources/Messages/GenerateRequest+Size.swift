internal import ServingModel

extension GenerateRequest: EncodableRequest {
    /// Exact for whatever travels as a value.
    package var encodedByteCount: Int {
        let size = [UInt8].wireSize(unlessEmpty: model) + input.wireSize + [UInt8].wireSize(unlessZero: maxTokens)
        return metadata.reduce(size + [UInt8].wireSize(ofBytes: sampling.wireSize)) { size, entry in
            let content = [UInt8].wireSize(unlessEmpty: entry.key) + [UInt8].wireSize(unlessEmpty: entry.value)
            return size + [UInt8].wireSize(ofBytes: content)
        }
    }
}

extension PromptInput {
    /// As a member of a `oneof`, which is there also if it is empty.
    fileprivate var wireSize: Int {
        switch self {
        case .text(let text):
            return [UInt8].wireSize(ofBytes: text.utf8.count)
        case .chat(let messages):
            let content = messages.reduce(0) { $0 + [UInt8].wireSize(ofBytes: $1.wireSize) }
            return [UInt8].wireSize(ofBytes: content)
        case .tokens(let ids):
            let numbers = ids.reduce(0) { $0 + [UInt8].wireSize(UInt64(clamping: $1)) }
            return [UInt8].wireSize(ofBytes: ids.isEmpty ? 0 : [UInt8].wireSize(ofBytes: numbers))
        }
    }
}

extension ChatMessage {
    /// Of its fields, without what stands in front of them.
    var wireSize: Int { [UInt8].wireSize(unlessEmpty: role) + [UInt8].wireSize(unlessEmpty: content) }
}

extension Sampling {
    fileprivate var wireSize: Int {
        let numbers = [temperature, topP].reduce(0) { $1 == 0 ? $0 : $0 + 9 } + [UInt8].wireSize(unlessZero: topK)
        let seedSize = seed.map { [UInt8].wireSize(ofBytes: $0 == 0 ? 0 : 1 + [UInt8].wireSize($0)) } ?? 0
        return stop.reduce(numbers + seedSize) { $0 + [UInt8].wireSize(ofBytes: $1.utf8.count) }
    }
}

extension [UInt8] {
    fileprivate static func wireSize(unlessEmpty text: String) -> Int {
        text.isEmpty ? 0 : wireSize(ofBytes: text.utf8.count)
    }

    fileprivate static func wireSize(unlessZero number: Int) -> Int {
        number == 0 ? 0 : 1 + wireSize(UInt64(clamping: number))
    }
}
