/// The text side of one sequence: tokens in, certain text out.
struct TextEmitter {
    private var decoder = StreamingDecoder()
    private var filter: StopStringFilter

    init(stops: [String]) {
        filter = StopStringFilter(stops: stops)
    }

    /// Takes in a token's bytes.
    ///
    /// - Returns: the text that became certain, and whether a stop string ended the answer.
    mutating func append(_ bytes: [UInt8]) -> (text: String, stopped: Bool) {
        let (text, stopped) = filter.append(decoder.append(bytes))
        return (String(decoding: text, as: UTF8.self), stopped)
    }

    /// The text that was held back and no longer needs to be.
    mutating func flush() -> String {
        String(decoding: filter.flush(), as: UTF8.self)
    }
}
