/// A byte-level BPE tokenizer, as GPT-2, Llama 3 and Qwen2 have.
///
/// Encoding: added tokens are cut out, the rest is normalised, cut into pieces, and each piece's bytes are merged.
/// Decoding is per token: `bytes(of:)`. A vocabulary of the 256 bytes alone, without merges, is fine.
struct Tokenizer {
    /// Which added tokens are looked for in a text.
    enum AddedTokenUse {
        /// All of them: a raw prompt may write `<|im_end|>` and mean the token.
        case all
        /// Only those that are not special: what a user writes must not act as a special token.
        case ordinaryOnly
    }

    let preTokenizer: PreTokenizer
    let merger: BytePairMerger
    /// A piece that is an entry of the vocabulary is not merged step by step (Llama 3).
    let ignoresMerges: Bool
    /// The token of each single byte, -1 for none: such bytes are left out, as the reference implementation does.
    let byteTokens: [Int32]
    /// Vocabulary entries by their bytes; only filled if merges are ignored.
    let entryTokens: [[UInt8]: Int32]
    /// Tokens by content: added ones, and vocabulary entries that stand beside them.
    let namedTokens: [String: Int32]
    let allAddedTokens: AddedTokenMatcher
    let ordinaryAddedTokens: AddedTokenMatcher
    /// Tokens that are put before a raw prompt: the beginning-of-sequence token, where the model has one.
    let prefixTokens: [Int32]
    let specialTokens: Set<Int32>
    private let tokenBytes: [[UInt8]]

    /// One more than the highest token.
    var count: Int { tokenBytes.count }

    /// The bytes that a token stands for; none for special tokens and tokens that do not exist.
    func bytes(of token: Int32) -> [UInt8] {
        guard token >= 0, token < tokenBytes.count, !specialTokens.contains(token) else { return [] }
        return tokenBytes[Int(token)]
    }

    /// The token with exactly this content: an added token such as `<|im_start|>`.
    func token(named content: String) -> Int32? {
        namedTokens[content]
    }

    /// Encodes text without prefix tokens.
    func encode(_ text: String, addedTokens: AddedTokenUse) -> [Int32] {
        let matcher = addedTokens == .all ? allAddedTokens : ordinaryAddedTokens
        var tokens: [Int32] = []
        for part in matcher.cut(text) {
            switch part {
            case .token(let token): tokens.append(token)
            case .text(let text): encodePlain(text, into: &tokens)
            }
        }
        return tokens
    }

    private func encodePlain(_ text: Substring, into tokens: inout [Int32]) {
        var text = preTokenizer.normalise(String(text))
        if preTokenizer.addsPrefixSpace, !text.hasPrefix(" ") { text = " " + text }
        for piece in preTokenizer.pieces(of: text) {
            let bytes = Array(Substring(piece).utf8)
            if ignoresMerges, let token = entryTokens[bytes] {
                tokens.append(token)
            } else {
                let single = bytes.map { byteTokens[Int($0)] }.filter { $0 >= 0 }
                tokens.append(contentsOf: merger.merge(single))
            }
        }
    }
}

extension Tokenizer {
    /// Reads `tokenizer.json`.
    init(source: ModelSource) throws(ModelLoadingError) {
        let file = try source.requiredFile("tokenizer.json")
        try self.init(try file.decodeJSON(TokenizerFile.self), path: file.path)
    }

    init(_ file: TokenizerFile, path: String) throws(ModelLoadingError) {
        if let type = file.model.type, type != "BPE" {
            throw ModelLoadingError(file: path, problem: "model type \(type) is not supported", expected: "BPE")
        }
        preTokenizer = try PreTokenizer(file, path: path)
        ignoresMerges = file.model.ignore_merges ?? false
        let added = file.added_tokens ?? []
        let vocabulary = file.model.vocab.sorted { $0.value < $1.value }
        let highest = max(vocabulary.last?.value ?? -1, added.map(\.id).max() ?? -1)
        guard let lowest = vocabulary.first?.value, lowest >= 0, highest < 1 << 24 else {
            throw ModelLoadingError(file: path, problem: "the vocabulary is empty or has tokens out of range")
        }
        var bytes = [[UInt8]](repeating: [], count: Int(highest) + 1)
        var singles = [Int32](repeating: -1, count: 256)
        var entries: [[UInt8]: Int32] = [:]
        for (entry, token) in vocabulary {
            let decoded = ByteAlphabet.decode(entry)
            bytes[Int(token)] = decoded
            if decoded.count == 1 { singles[Int(decoded[0])] = token }
            if ignoresMerges { entries[decoded] = token }
        }
        var named: [String: Int32] = [:]
        for name in ChatFormat.knownSpecialTokens {
            named[name] = file.model.vocab[name]
        }
        for token in added where token.id >= 0 {
            bytes[Int(token.id)] = Array(token.content.utf8)
            named[token.content] = token.id
        }
        namedTokens = named
        tokenBytes = bytes
        byteTokens = singles
        entryTokens = entries
        merger = try Self.merger(file.model, path: path)
        specialTokens = Set(added.lazy.filter { $0.special ?? false }.map(\.id))
        allAddedTokens = AddedTokenMatcher(added)
        ordinaryAddedTokens = AddedTokenMatcher(added.filter { !($0.special ?? false) })
        prefixTokens = try Self.prefixTokens(file, named: named, path: path)
    }

    private static func merger(
        _ model: TokenizerFile.Model,
        path: String
    ) throws(ModelLoadingError) -> BytePairMerger {
        var merger = BytePairMerger()
        for (rank, merge) in model.merges.enumerated() {
            let joined = merge.left + merge.right
            guard let left = model.vocab[merge.left], let right = model.vocab[merge.right],
                let token = model.vocab[joined]
            else {
                throw ModelLoadingError(
                    file: path,
                    problem: "merge \(rank), \"\(merge.left) \(merge.right)\", has parts outside the vocabulary",
                    expected: "entries for both and for \"\(joined)\""
                )
            }
            merger.add(left: left, right: right, rank: Int32(rank), token: token)
        }
        return merger
    }

    /// The special tokens before the text in a `TemplateProcessing` post-processor.
    private static func prefixTokens(
        _ file: TokenizerFile,
        named: [String: Int32],
        path: String
    ) throws(ModelLoadingError) -> [Int32] {
        var tokens: [Int32] = []
        for component in PreTokenizer.flatten(file.post_processor, \.processors) {
            for part in component.single ?? [] {
                guard let name = part.SpecialToken?.id else { break }
                guard let token = named[name] ?? file.model.vocab[name] else {
                    throw ModelLoadingError(
                        file: path,
                        problem: "the post-processor's special token \(name) is not in the vocabulary"
                    )
                }
                tokens.append(token)
            }
        }
        return tokens
    }
}
