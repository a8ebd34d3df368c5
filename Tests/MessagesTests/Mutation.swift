internal import ServingModel

/// One random change to bytes, of the kinds that break parsers: flips, cuts, repeats, absurd lengths.
func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator) {
    guard !bytes.isEmpty else {
        bytes = [UInt8.random(in: 0...255, using: &random)]
        return
    }
    let index = Int.random(in: 0..<bytes.count, using: &random)
    let end = min(bytes.count, index + Int.random(in: 1...16, using: &random))
    switch Int.random(in: 0..<8, using: &random) {
    case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1: bytes[index] = UInt8.random(in: 0...255, using: &random)
    case 2: bytes.removeSubrange(index...)
    case 3: bytes.removeSubrange(index..<end)
    case 4: bytes.insert(contentsOf: bytes[index..<end], at: index)
    case 5: bytes[index] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
    case 6: bytes.insert(contentsOf: Wire.varint(random.word()), at: index)
    default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: index)
    }
}
