import Brokering
import Foundation
import GRDB
import Journal
import ServingModel
import Testing

@testable import Journal

@Suite("A damaged journal")
struct DamageTests {
    private let directory = TemporaryDirectory()

    private func journal(acceptsLoss: Bool = false) -> SQLiteJournal {
        var configuration = JournalConfiguration()
        configuration.acceptsLoss = acceptsLoss
        return SQLiteJournal(directory: directory.journal, configuration: configuration) { Samples.start }
    }

    /// Writes `groups`, one commit each; the journal stays open.
    private func write(_ groups: [[JournalRecord]]) throws -> SQLiteJournal {
        let journal = journal()
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        var count = 0
        for group in groups {
            journal.append(group)
            count += group.count
            listener.waitUntilDurable(UInt64(count))
        }
        #expect(listener.failures.isEmpty)
        return journal
    }

    private func change(_ path: String, _ body: (inout Data) -> Void) throws {
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        body(&bytes)
        try bytes.write(to: URL(fileURLWithPath: path))
    }

    private static let groups: [[JournalRecord]] = {
        var stream = RecordStream(seed: 12)
        return (0..<12).map { _ in stream.records(10) }
    }()

    private static var image: JournalImage { JournalImage(of: groups.joined()) }

    /// The log as it is while a broker runs, in a directory of its own.
    private func copyWithLog(_ groups: [[JournalRecord]] = groups) throws {
        let original = try write(groups)
        let log = try Data(contentsOf: URL(fileURLWithPath: directory.database + "-wal"))
        let database = try Data(contentsOf: URL(fileURLWithPath: directory.database))
        original.close()
        try database.write(to: URL(fileURLWithPath: directory.database))
        try log.write(to: URL(fileURLWithPath: directory.database + "-wal"))
    }

    @Test("A torn end of the log is dropped: the last group is gone, all before it is there")
    func tornEnd() throws {
        try copyWithLog()
        try change(directory.database + "-wal") { $0.removeLast(1000) }
        let journal = journal()
        let recovery = try journal.recover()
        journal.close()
        let image = JournalImage(of: Self.groups.dropLast().joined())
        #expect(recovery == image.recovery(epoch: recovery.epoch))
        #expect(recovery != Self.image.recovery(epoch: recovery.epoch))
    }

    @Test(
        "A changed byte before the log's end is refused: SQLite would drop all that comes after",
        arguments: [3, 10, 50]
    )
    func middleOfLog(percent: Int) throws {
        try copyWithLog()
        try change(directory.database + "-wal") { $0[$0.count * percent / 100] ^= 0x10 }
        let error = #expect(throws: JournalFailure.self) { try journal().recover() }
        #expect(error?.kind == .damaged)
        #expect(error?.message.contains("log \(directory.database)-wal is damaged before its end") == true)
        #expect(error?.message.contains("--journal-accept-loss") == true)
    }

    @Test("A refused journal is left as it is, its log too")
    func untouched() throws {
        try write(Self.groups).close()
        try copyWithLog([[.accepted(Samples.query(1000))]])
        // The log has newer versions of a few pages only.
        try change(directory.database) { $0.replaceSubrange(4096..<$0.count, with: Data(count: $0.count - 4096)) }
        let (database, log) = (directory.database, directory.database + "-wal")
        let before = try [database, log].map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
        let error = #expect(throws: JournalFailure.self) { try journal().recover() }
        #expect(error?.kind == .damaged)
        #expect(try [database, log].map { try Data(contentsOf: URL(fileURLWithPath: $0)) } == before)
    }

    @Test("An index that has lost an idempotency key is refused: the key would be taken for new")
    func damagedIndex() throws {
        let key = "a key that nobody else has"
        try write([[.accepted(Samples.query(1, key: key))]]).close()
        try change(directory.database) { bytes in
            let first = bytes.range(of: Data(key.utf8))
            let last = bytes.range(of: Data(key.utf8), options: .backwards)
            // Once in the table, once in the index, which was made later.
            #expect(first != last)
            if let last { bytes[last.lowerBound + 2] ^= 1 }
        }
        let error = #expect(throws: JournalFailure.self) { try journal().recover() }
        #expect(error?.kind == .damaged)
    }

    @Test("A header that forbids writing is damage, not a matter of permissions")
    func forbiddenWriting() throws {
        try write(Self.groups).close()
        // The file format's write version: SQLite only reads what is above 2.
        try change(directory.database) { $0[18] = 3 }
        let error = #expect(throws: JournalFailure.self) { try journal().recover() }
        #expect(error?.kind == .damaged, "\(String(describing: error))")
    }

    @Test("A missing database beside its log is refused")
    func missingDatabase() throws {
        try copyWithLog()
        try Data().write(to: URL(fileURLWithPath: directory.database))
        let error = #expect(throws: JournalFailure.self) { try journal().recover() }
        #expect(error?.kind == .damaged)
    }

    @Test("A file that is no database, or somebody else's, is refused and left as it is")
    func foreign() throws {
        try FileManager.default.createDirectory(
            atPath: directory.journal,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
        let text = Data(String(repeating: "not a database, but a diary. ", count: 300).utf8)
        try text.write(to: URL(fileURLWithPath: directory.database))
        let error = #expect(throws: JournalFailure.self) { try journal().recover() }
        #expect(error?.kind == .damaged)
        #expect(error?.message.contains("0 unfinished queries and 0 results can be read") == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: directory.database)) == text)
    }

    @Test("Changed bytes anywhere in the database are refused, or harm nothing that a client was promised")
    func anywhere() throws {
        try write(Self.groups).close()
        let original = try Data(contentsOf: URL(fileURLWithPath: directory.database))
        let expected = Self.image
        var generator = SeededGenerator(seed: 5)
        var refused = 0
        for _ in 0..<60 {
            var bytes = original
            let start = Int(generator.next() % UInt64(bytes.count))
            let count = [1, 16, 4096][Int(generator.next() % 3)]
            for index in start..<min(start + count, bytes.count) {
                bytes[index] = UInt8(truncatingIfNeeded: generator.next())
            }
            try bytes.write(to: URL(fileURLWithPath: directory.database))
            let journal = journal()
            do {
                let recovery = try journal.recover()
                let wanted = expected.recovery(epoch: recovery.epoch)
                #expect(recovery.queries.map(\.accepted) == wanted.queries.map(\.accepted), "at \(start)")
                #expect(recovery.queries.map(\.output) == wanted.queries.map(\.output), "at \(start)")
                #expect(recovery.keys == wanted.keys, "at \(start)")
                #expect(recovery.nextNumber == wanted.nextNumber, "at \(start)")
                journal.close()
            } catch {
                #expect(error.kind == .damaged || error.kind == .newerVersion, "\(error)")
                refused += 1
            }
        }
        #expect(refused > 20)
    }

    @Test("With the loss accepted, what can be read is carried over, and the damaged files are set aside")
    func acceptedLoss() throws {
        try write(Self.groups).close()
        let expected = Self.image.recovery(epoch: 1)
        let victim = try #require(expected.queries.first { $0.accepted.request.count > 600 })
        let damagedFile = try Data(contentsOf: URL(fileURLWithPath: directory.database))
        // Within the request's bytes, where only our own checksum looks.
        let place = try #require(damagedFile.range(of: Data(victim.accepted.request.bytes.prefix(300)))).lowerBound
        try change(directory.database) { $0[place + 100] ^= 1 }
        let error = #expect(throws: JournalFailure.self) { try journal().recover() }
        #expect(error?.message.contains("\(expected.queries.count - 1) unfinished queries") == true)
        #expect(error?.message.contains("1 queries cannot") == true)

        let survivor = journal(acceptsLoss: true)
        let recovery = try survivor.recover()
        survivor.close()
        let rest = expected.queries.filter { $0.accepted.number != victim.accepted.number }
        #expect(recovery.queries == rest)
        #expect(recovery.nextNumber == expected.nextNumber)
        #expect(recovery.epoch > Samples.start.seconds)
        let aside = directory.journal + "/damaged-\(Samples.start.milliseconds)/journal.sqlite"
        #expect(FileManager.default.fileExists(atPath: aside))
        // No longer damaged.
        let next = journal()
        #expect(try next.recover().queries == rest)
        next.close()
    }

    @Test("A damaged journal of an earlier version is salvaged as well")
    func earlierVersion() throws {
        try write(Self.groups).close()
        let queue = try DatabaseQueue(path: directory.database)
        try queue.write { database in
            try database.execute(
                sql: """
                    DROP INDEX query_model;
                    ALTER TABLE failure DROP COLUMN suspects;
                    DELETE FROM grdb_migrations WHERE identifier = '2';
                    """
            )
        }
        try queue.close()
        let expected = Self.image.recovery(epoch: 1)
        let victim = try #require(expected.queries.first { $0.accepted.request.count > 600 })
        let damagedFile = try Data(contentsOf: URL(fileURLWithPath: directory.database))
        let place = try #require(damagedFile.range(of: Data(victim.accepted.request.bytes.prefix(300)))).lowerBound
        try change(directory.database) { $0[place + 100] ^= 1 }

        let survivor = journal(acceptsLoss: true)
        let recovery = try survivor.recover()
        survivor.close()
        let rest = expected.queries.filter { $0.accepted.number != victim.accepted.number }
        #expect(rest.contains { !$0.failures.isEmpty })
        #expect(recovery.queries.map(\.accepted) == rest.map(\.accepted))
        #expect(recovery.queries.map(\.failures.count) == rest.map(\.failures.count))
        #expect(recovery.queries.allSatisfy { $0.failures.allSatisfy { $0.suspects == 1 } })
    }

    @Test("A damaged result is told as lost, and others are served")
    func damagedResult() throws {
        var end = Samples.end(1)
        end.output.text = Array("an answer that nobody else has".utf8)
        end.output.pieces = []
        let (query, other) = (Samples.query(1), Samples.query(2))
        try write([
            [.accepted(query), .ended(query.number, end), .accepted(other), .ended(other.number, Samples.end(2))]
        ])
        .close()
        try change(directory.database) { bytes in
            let place = bytes.range(of: Data(end.output.text))
            #expect(place != nil)
            if let place { bytes[place.lowerBound + 3] ^= 1 }
        }
        let journal = journal()
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        journal.lookUp(.query(query.id), ticket: 1)
        journal.lookUp(.query(other.id), ticket: 2)
        let lost = listener.waitUntilFound(1)
        #expect(lost?.end.code == .dataLoss)
        #expect(lost?.end.output == OutputPart.none)
        #expect(listener.waitUntilFound(2)?.end == Samples.end(2))
        journal.close()
    }

    @Test("A further connection opens while the first one is in the middle of a commit")
    func furtherConnection() throws {
        try write([]).close()
        let file = JournalFile(directory: JournalDirectory(path: directory.journal))
        let first = try file.connect()
        try first.writeWithoutTransaction { database in
            try database.inTransaction(.immediate) {
                try file.connect(isFurther: true).close()
                return .rollback
            }
        }
        try first.close()
    }

    @Test("A journal of a later version is refused, and says so")
    func laterVersion() throws {
        try write([]).close()
        let queue = try JournalFile(directory: JournalDirectory(path: directory.journal)).connect()
        try queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99')") }
        try queue.close()
        let error = #expect(throws: JournalFailure.self) { try journal().recover() }
        #expect(error?.kind == .newerVersion)
    }
}

extension UnixTime {
    fileprivate var seconds: UInt32 { UInt32(milliseconds / 1000) }
}
