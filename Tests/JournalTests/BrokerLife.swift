import Brokering
import Journal
import ServingModel
import Testing

@testable import Journal

/// What a broker appended over its life, how much of it was said to be durable, and whether a reopened journal agrees.
struct BrokerLife {
    private(set) var records: [JournalRecord] = []
    private(set) var durable = 0
    private(set) var lastEpoch: UInt32 = 0

    /// Opens the journal and appends `groups`, one after the other, until it fails.
    ///
    /// - Returns: the failures told, or that of the opening.
    mutating func run(_ journal: SQLiteJournal, _ groups: [[JournalRecord]]) -> [JournalFailure] {
        do {
            lastEpoch = try journal.recover().epoch
        } catch {
            return [error]
        }
        let listener = Listener()
        journal.start(listener.handle)
        let before = records.count
        for group in groups where listener.failures.isEmpty {
            records += group
            journal.append(group)
            listener.waitUntilDurable(UInt64(records.count - before))
            durable = max(durable, before + Int(listener.durable))
        }
        journal.close()
        #expect(listener.lateEvents == 0)
        return listener.failures
    }

    /// Whether a recovery is what some prefix of the records made, with everything in it that was said to be durable.
    ///
    /// What was appended beyond may be there or not; after a failure it is no longer known, so from here on the life is
    /// what was found.
    mutating func agrees(with recovery: Recovery) -> Bool {
        var image = JournalImage(of: records[..<durable])
        for count in durable...records.count {
            if count > durable { try? image.apply(records[count - 1]) }
            guard image.recovery(epoch: recovery.epoch) == recovery, recovery.epoch > lastEpoch else { continue }
            records.removeSubrange(count...)
            durable = count
            lastEpoch = recovery.epoch
            return true
        }
        return false
    }

    /// Whether results are those of the records.
    func agrees(withResultsOf journal: SQLiteJournal) -> Bool {
        let image = JournalImage(of: records)
        let listener = Listener()
        journal.start(listener.handle)
        let queries = records.compactMap { if case .accepted(let query) = $0 { query.id } else { nil } }
        for (ticket, id) in queries.enumerated() { journal.lookUp(.query(id), ticket: UInt64(ticket)) }
        journal.close()
        return queries.enumerated().allSatisfy { ticket, id in
            listener.found(UInt64(ticket)) == .some(image.find(.query(id)))
        }
    }
}
