internal import Foundation

/// Finds damage in the middle of SQLite's write-ahead log, which SQLite takes for its end.
///
/// SQLite reads the log up to the first frame whose checksum is wrong and drops the rest. That is right for a torn end:
/// every commit is synced before the next transaction begins, so only the last transaction can be incomplete. If an
/// intact transaction begins after the damage, what is damaged was durable, and dropping it would lose records that
/// clients were told of. Damage within the last transaction can't be told from a torn end.
///
/// Format: https://www.sqlite.org/fileformat2.html#walformat
struct LogInspection {
    let directory: JournalDirectory

    private static let headerBytes = 32
    private static let frameHeaderBytes = 24

    /// - Throws: `RowDamage` if what was durable would be dropped.
    func check() throws {
        guard let log = try? Data(contentsOf: URL(fileURLWithPath: directory.log), options: .alwaysMapped) else {
            return
        }
        let isIntact = log.withUnsafeBytes { bytes in
            guard bytes.count > Self.headerBytes, bytes.contains(where: { $0 != 0 }) else { return true }
            return Self.isIntact(bytes)
        }
        guard isIntact else {
            throw RowDamage("its write-ahead log \(directory.log) is damaged before its end")
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: directory.database)
        guard attributes?[.size] as? Int != 0 || log.isEmpty else {
            throw RowDamage("the file is empty, but its write-ahead log \(directory.log) is not")
        }
    }

    private static func isIntact(_ log: UnsafeRawBufferPointer) -> Bool {
        let magic = word(log, 0)
        guard magic & 0xFFFF_FFFE == 0x377F_0682 else { return false }
        let isBigEndian = magic & 1 == 1
        let pageBytes = Int(word(log, 8))
        guard pageBytes >= 512, pageBytes <= 65_536, pageBytes & (pageBytes - 1) == 0 else { return false }
        var sum = LogChecksum(isBigEndian: isBigEndian)
        sum.combine(log[0..<24])
        guard sum == LogChecksum(isBigEndian: isBigEndian, word(log, 24), word(log, 28)) else { return false }
        let frames = (log.count - headerBytes) / (frameHeaderBytes + pageBytes)
        var damaged: Int?
        // Whether a transaction ends at or after the damage.
        var hasCommit = false
        for index in 0..<frames {
            let start = headerBytes + index * (frameHeaderBytes + pageBytes)
            let isOfThisLog = word(log, start + 8) == word(log, 16) && word(log, start + 12) == word(log, 20)
            let stored = LogChecksum(isBigEndian: isBigEndian, word(log, start + 16), word(log, start + 20))
            // From what the frame before says, whether that is right or not.
            sum.combine(log[start..<start + 8])
            sum.combine(log[start + frameHeaderBytes..<start + frameHeaderBytes + pageBytes])
            let isGood = isOfThisLog && sum == stored
            if damaged == nil, !isGood { damaged = index }
            if let damaged {
                if hasCommit, isGood, index > damaged { return false }
                if isOfThisLog, word(log, start + 4) != 0 { hasCommit = true }
            }
            sum = stored
        }
        return true
    }

    private static func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}

/// The checksum of SQLite's write-ahead log.
struct LogChecksum: Equatable {
    private let isBigEndian: Bool
    private var first: UInt32
    private var second: UInt32

    init(isBigEndian: Bool, _ first: UInt32 = 0, _ second: UInt32 = 0) {
        self.isBigEndian = isBigEndian
        self.first = first
        self.second = second
    }

    /// - Parameter bytes: a multiple of eight.
    mutating func combine(_ bytes: Slice<UnsafeRawBufferPointer>) {
        let words = UnsafeRawBufferPointer(rebasing: bytes)
        for offset in stride(from: 0, to: words.count, by: 8) {
            first = first &+ word(words, offset) &+ second
            second = second &+ word(words, offset + 4) &+ first
        }
    }

    private func word(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
        return isBigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
    }
}
