import Brokering
import Foundation
import Journal
import ServingModel
import Testing

/// A journal's files with bytes changed, cut off or swapped must be refused in words, or give back what was written.
///
/// `ALADDIN_FUZZ_ROUNDS` and `ALADDIN_FUZZ_SEED` as in the fuzzing of messages; a round here is a damaged journal.
@Suite("Fuzzing of the journal's recovery")
struct JournalFuzzTests {
    private static func setting(_ name: String, _ fallback: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? fallback
    }

    private static let rounds = max(setting("ALADDIN_FUZZ_ROUNDS", 130_000) / 1000, 100)
    private static let seed = UInt64(setting("ALADDIN_FUZZ_SEED", 4711))

    private static let groups: [[JournalRecord]] = {
        var stream = RecordStream(seed: 12)
        return (0..<20).map { _ in stream.records(12) }
    }()

    /// What a broker may find after so many groups, the latest first.
    private static let expectations: [Recovery] = {
        var image = JournalImage()
        var all = [image.recovery(epoch: 0)]
        for group in groups {
            for record in group { try? image.apply(record) }
            all.append(image.recovery(epoch: 0))
        }
        return all.reversed()
    }()

    private let directory = TemporaryDirectory()
    private var log: String { directory.database + "-wal" }

    private func journal() -> SQLiteJournal {
        SQLiteJournal(directory: directory.journal) { Samples.start }
    }

    /// The database and its log, as a broker leaves them that is killed, or that closes.
    private func files(closed: Bool) throws -> (database: [UInt8], log: [UInt8]) {
        let journal = journal()
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        var count: UInt64 = 0
        for group in Self.groups {
            journal.append(group)
            count += UInt64(group.count)
            listener.waitUntilDurable(count)
        }
        if closed { journal.close() }
        let log = FileManager.default.contents(atPath: log) ?? Data()
        let database = try Data(contentsOf: URL(fileURLWithPath: directory.database))
        if !closed { journal.close() }
        return ([UInt8](database), [UInt8](log))
    }

    /// - Returns: nil if the files are refused.
    private func recovered(_ files: (database: [UInt8], log: [UInt8])) throws -> Recovery? {
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: directory.database + suffix) }
        try Data(files.database).write(to: URL(fileURLWithPath: directory.database))
        if !files.log.isEmpty { try Data(files.log).write(to: URL(fileURLWithPath: log)) }
        let journal = journal()
        do throws(JournalFailure) {
            var recovery = try journal.recover()
            journal.close()
            recovery.epoch = 0
            return recovery
        } catch {
            #expect(error.kind == .damaged || error.kind == .newerVersion, "\(error)")
            return nil
        }
    }

    /// - Returns: whether the end was cut off.
    private static func damage(_ bytes: inout [UInt8], _ random: inout SeededGenerator) -> Bool {
        func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
        guard bytes.count > 8192 else { return false }
        let index = below(bytes.count)
        let kind = below(7)
        switch kind {
        case 0: bytes[index] ^= 1 << UInt8(below(8))
        case 1: bytes[index] = UInt8(below(256))
        case 2: bytes.removeLast(1 + below(bytes.count - 1))
        case 3: for offset in index..<min(index + 512, bytes.count) { bytes[offset] = 0 }
        case 4: for offset in index..<min(index + 64, bytes.count) { bytes[offset] = UInt8(below(256)) }
        case 5:
            // Two pages change places.
            let (one, other) = (below(bytes.count / 4096) * 4096, below(bytes.count / 4096) * 4096)
            for offset in 0..<4096 { bytes.swapAt(one + offset, other + offset) }
        default: bytes[below(100)] = UInt8(below(256))  // the file's header
        }
        return kind == 2
    }

    @Test(
        "What is damaged is refused or recovered whole: no query vanishes or changes unnoticed",
        arguments: [true, false]
    )
    func damagedFiles(closed: Bool) throws {
        let original = try files(closed: closed)
        #expect(try recovered(original) == Self.expectations[0])
        var random = SeededGenerator(seed: Self.seed)
        var (refused, intact) = (0, 0)
        for round in 0..<Self.rounds {
            var files = original
            var isCut = false
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let cut = closed ? Self.damage(&files.database, &random) : Self.damage(&files.log, &random)
                isCut = isCut || cut
            }
            guard let found = try recovered(files) else {
                refused += 1
                continue
            }
            intact += 1
            // The last group may be torn; a log that ends early says nothing of what came after.
            let allowed = closed ? 1 : isCut ? Self.expectations.count : 2
            let isWhole = Self.expectations.prefix(allowed).contains { wanted in
                wanted.queries.map(\.accepted) == found.queries.map(\.accepted)
                    && wanted.queries.map(\.output) == found.queries.map(\.output)
            }
            #expect(isWhole, "seed \(Self.seed), round \(round)")
        }
        print("fuzzed the journal: \(Self.rounds) times, \(refused) refused, \(intact) recovered whole")
        #expect(refused > 0)
    }
}
