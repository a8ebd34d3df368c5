extension PromptBlocks {
    /// Bytes of text that a block has, or of token identifiers at four bytes each: some 256 tokens of English.
    package static let blockBytes = 1024
    /// Blocks of a prompt that are told apart: what is longer goes by its beginning.
    package static let maximumBlocks = 256

    /// The beginning of a prompt as a broker, which knows no tokens, can tell it from others: by its bytes.
    ///
    /// Two prompts have equal blocks as long as their text is the same, and the roles of their messages and where these end.
    /// What comes after the last whole block is in none.
    package static func hashes(of input: PromptInput) -> [UInt64] {
        chain(of: input, atMost: maximumBlocks).hashes
    }

    /// The same and, from one reading of the text, a hash of all of it.
    package static func digest(of input: PromptInput) -> (hashes: [UInt64], whole: UInt64) {
        let chain = chain(of: input, atMost: .max)
        return (Array(chain.hashes.prefix(maximumBlocks)), chain.state)
    }

    private static func chain(of input: PromptInput, atMost blocks: Int) -> ByteChain {
        var chain = ByteChain(mostBlocks: blocks)
        switch input {
        case .text(var text):
            text.withUTF8 { chain.add(UnsafeRawBufferPointer($0)) }
        case .tokens(let ids):
            ids.withUnsafeBytes { chain.add($0) }
        case .chat(let messages):
            for message in messages {
                var (role, content) = (message.role, message.content)
                role.withUTF8 { chain.mark(UnsafeRawBufferPointer($0)) }
                content.withUTF8 { chain.add(UnsafeRawBufferPointer($0)) }
            }
        }
        return chain
    }

    /// The same for a worker that has counted the prompt's tokens: blocks are taken for equally long in tokens.
    ///
    /// - Parameter promptTokens: at least 1.
    package init(of input: PromptInput, promptTokens: Int) {
        let hashes = Self.hashes(of: input)
        guard !hashes.isEmpty else {
            self = .none
            return
        }
        let share = Double(Self.blockBytes) / Double(max(1, input.byteCount))
        self.init(hashes: hashes, blockTokens: Int((Double(promptTokens) * share).rounded(.down)))
    }
}

extension PromptInput {
    /// Bytes of the text, or of token identifiers at four bytes each; roles are not counted.
    package var byteCount: Int {
        switch self {
        case .text(let text): text.utf8.count
        case .tokens(let ids): ids.count * 4
        case .chat(let messages): messages.reduce(0) { $0 + $1.content.utf8.count }
        }
    }
}

/// Hashes of everything up to the end of each block of a stream of bytes.
///
/// The hash multiplies and folds eight bytes at a time, of longer pieces in four chains that the processor follows at once:
/// fast, good enough to tell prompts apart, and no protection from somebody who wants two prompts taken for one. All that such
/// a person gets is a prompt of theirs taken for another of theirs, or sent to another worker than it might have been: no
/// engine takes its KV cache by these.
private struct ByteChain {
    private(set) var hashes: [UInt64] = []
    /// The hash of everything so far.
    private(set) var state: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var count = 0
    /// What comes after so many blocks is not looked at.
    private let mostBlocks: Int

    init(mostBlocks: Int) {
        self.mostBlocks = mostBlocks
    }

    /// Bytes of the prompt.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset < bytes.count, hashes.count < mostBlocks {
            let length = min(bytes.count - offset, PromptBlocks.blockBytes - count)
            fold(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length]))
            offset += length
            count += length
            guard count == PromptBlocks.blockBytes else { continue }
            count = 0
            hashes.append(state)
        }
    }

    /// What divides the bytes and is none of them.
    mutating func mark(_ name: UnsafeRawBufferPointer) {
        mix(UInt64.max)
        fold(name)
    }

    private mutating func fold(_ bytes: UnsafeRawBufferPointer) {
        let strides = bytes.count / 32
        if strides > 0 { fold(strides, of: bytes) }
        let words = bytes.count / 8
        for word in strides * 4..<words { mix(bytes.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self)) }
        guard words * 8 < bytes.count else { return }
        var rest: UInt64 = 0
        for offset in words * 8..<bytes.count { rest = rest << 8 | UInt64(bytes[offset]) }
        mix(rest)
        mix(UInt64(bytes.count - words * 8))
    }

    /// Folds so many times 32 bytes.
    private mutating func fold(_ strides: Int, of bytes: UnsafeRawBufferPointer) {
        var (a, b, c, d) = (state, ~state, state &+ 1, ~state &+ 1)
        for stride in 0..<strides {
            let words = bytes.loadUnaligned(fromByteOffset: stride * 32, as: SIMD4<UInt64>.self)
            a = Self.mixed(a, words[0])
            b = Self.mixed(b, words[1])
            c = Self.mixed(c, words[2])
            d = Self.mixed(d, words[3])
        }
        for chain in [a, b, c, d] { mix(chain) }
    }

    @inline(__always)
    private mutating func mix(_ word: UInt64) {
        state = Self.mixed(state, word)
    }

    @inline(__always)
    private static func mixed(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let product = (state ^ word) &* 0xBF58_476D_1CE4_E5B9
        return product ^ product >> 32
    }
}
