/// Who reads an answer: one stream, mostly, which takes no memory beside the record then.
package struct ReaderList: Sendable {
    fileprivate enum Form {
        case none
        case one(StreamKey)
        case many([StreamKey])
    }

    private var form = Form.none

    package var isEmpty: Bool { if case .none = form { true } else { false } }

    /// Whether nobody but this stream reads it.
    package func isOnly(_ stream: StreamKey) -> Bool {
        if case .one(let only) = form { only == stream } else { false }
    }

    package func contains(_ stream: StreamKey) -> Bool {
        switch form {
        case .none: false
        case .one(let only): only == stream
        case .many(let streams): streams.contains(stream)
        }
    }

    mutating func append(_ stream: StreamKey) {
        switch form {
        case .none: form = .one(stream)
        case .one(let only): form = .many([only, stream])
        case .many(let streams): form = .many(streams + [stream])
        }
    }

    mutating func remove(_ stream: StreamKey) {
        switch form {
        case .none: break
        case .one(let only): if only == stream { form = .none }
        case .many(let streams):
            let left = streams.filter { $0 != stream }
            form = left.count > 1 ? .many(left) : left.first.map { .one($0) } ?? .none
        }
    }

}

/// In the order in which they came.
extension ReaderList: Sequence {
    package struct Iterator: IteratorProtocol {
        fileprivate let form: Form
        private var index = 0

        fileprivate init(_ form: Form) {
            self.form = form
        }

        package mutating func next() -> StreamKey? {
            defer { index += 1 }
            return switch form {
            case .none: nil
            case .one(let only): index == 0 ? only : nil
            case .many(let streams): index < streams.count ? streams[index] : nil
            }
        }
    }

    package func makeIterator() -> Iterator { Iterator(form) }
}
