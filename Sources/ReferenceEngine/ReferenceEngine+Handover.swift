package import EngineInterface
package import ServingModel

/// The bytes of a moving KV cache: the number of its tokens as 32 bits, then their identifiers, 32 bits each, then the
/// sequence's blocks as they lie in memory.
///
/// All in the machine's own byte order: both workers are on one machine.
extension ReferenceEngine: HandoverEngine {
    package var kvCacheForm: String { kvForm }

    package var exportedBytesPerToken: Double { description.profile.kvCache.bytesPerToken ?? 0 }

    /// The model's name does not matter, its numbers do: two models with the same weights have the same KV cache.
    static func kvCacheForm(of transformer: Transformer) -> String {
        let model = transformer.configuration
        let shape = "\(model.layers).\(model.keyValueHeads).\(model.headDimension)"
        return "aladdin-cpu/1:\(shape):\(String(transformer.fingerprint, radix: 16))"
    }

    package func exportKVCache(
        of sequence: SequenceID,
        to write: (UnsafeRawBufferPointer) throws(Status) -> Void
    ) throws(Status) -> KVCacheExport {
        guard let state = sequences[sequence], state.outputCount > 0, state.computed == state.tokens.count - 1 else {
            throw Self.immovable(sequence, "has no KV cache to hand over")
        }
        let header = [Int32(state.computed)] + state.tokens[..<state.computed]
        // Typed errors don't pass through rethrowing closures.
        var failure: Status?
        header.withUnsafeBytes { bytes in
            do throws(Status) { try write(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        for block in state.blocks.prefix(KVCache.blocks(holding: state.computed)) {
            try write(transformer.cache.bytes(of: block))
        }
        return KVCacheExport()
    }

    package func checkKVCache(_ bytes: UnsafeRawBufferPointer, for sequence: SequenceID) throws(Status) {
        guard let state = sequences[sequence], state.computed == 0, state.tokens.count > 1 else {
            throw Self.immovable(sequence, "can't take over a KV cache")
        }
        let count = state.tokens.count - 1
        let expected = Self.headerBytes(count) + KVCache.blocks(holding: count) * transformer.cache.blockBytes
        guard bytes.count == expected else {
            throw Self.immovable(sequence, "needs a KV cache of \(expected) bytes; this one has \(bytes.count)")
        }
        let isOurs =
            bytes.loadUnaligned(as: Int32.self) == Int32(count)
            && (0..<count).allSatisfy { index in
                bytes.loadUnaligned(fromByteOffset: 4 * (index + 1), as: Int32.self) == state.tokens[index]
            }
        guard isOurs else { throw Self.immovable(sequence, "was given the KV cache of other tokens") }
    }

    package func importKVCache(_ bytes: UnsafeRawBufferPointer, into sequence: SequenceID) throws(Status) {
        try checkKVCache(bytes, for: sequence)
        guard var state = sequences.removeValue(forKey: sequence) else { return }
        defer { sequences[sequence] = state }
        let count = state.tokens.count - 1
        guard transformer.cache.extend(&state.blocks, toTokens: count) else {
            let free = transformer.cache.freeBlocks
            throw Status(.resourceExhausted, .outOfMemory, "no KV blocks are left: \(free) free")
        }
        var offset = Self.headerBytes(count)
        for block in state.blocks {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + transformer.cache.blockBytes])
            transformer.cache.fill(block, from: piece)
            offset += piece.count
        }
        state.computed = count
    }

    private static func headerBytes(_ tokens: Int) -> Int { 4 * (tokens + 1) }

    private static func immovable(_ id: SequenceID, _ problem: String) -> Status {
        Status(.aborted, .handoverFailed, "sequence \(id.rawValue) \(problem)")
    }
}

extension Transformer {
    /// A number that differs between models with other weights: their shapes, and a sample of their bytes.
    ///
    /// A few hundred bytes of each matrix will do: no training changes a part of a matrix only.
    var fingerprint: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ bytes: UnsafeRawBufferPointer) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        }
        func add(_ number: Int) {
            withUnsafeBytes(of: UInt64(bitPattern: Int64(number)).littleEndian) { add($0) }
        }
        for matrix in weights.layers.flatMap(\.matrices) + [weights.embedding] {
            add(matrix.rows)
            add(matrix.columns)
            add(matrix.element.byteCount)
            let sample = min(64, matrix.byteCount)
            for part in 0..<8 {
                let start = (matrix.byteCount - sample) / 8 * part
                add(UnsafeRawBufferPointer(start: matrix.bytes + start, count: sample))
            }
        }
        let theta = configuration.ropeTheta.bitPattern
        add(Int(truncatingIfNeeded: theta))
        return hash
    }
}
