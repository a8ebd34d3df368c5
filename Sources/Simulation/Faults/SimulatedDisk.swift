internal import Brokering
internal import ServingModel

/// The journal's disk: records that were written, and those of them that a crash leaves.
struct SimulatedDisk: Sendable {
    /// Of all openings, in order; what a sabotaged shell made of a record may be none or two.
    private(set) var records: [[JournalRecord]] = []
    /// The first so many are durable.
    private(set) var synced = 0
    /// What they amount to.
    private(set) var image = JournalImage()
    /// Where the sync under way ends; nil if there is none.
    private(set) var syncing: Int?
    /// Records that were there when the journal was opened.
    private(set) var base = 0
    /// Questions that wait until what was written before them is durable.
    private(set) var lookups: [(lookup: JournalLookup, ticket: UInt64, after: Int)] = []

    /// A broker's count of durable records.
    var durableOfBroker: UInt64 { UInt64(synced - base) }

    mutating func append(_ written: [JournalRecord]) { records.append(written) }

    mutating func ask(_ lookup: JournalLookup, ticket: UInt64) {
        lookups.append((lookup, ticket, records.count))
    }

    /// - Returns: whether a sync begins.
    mutating func beginSync() -> Bool {
        guard syncing == nil, synced < records.count else { return false }
        syncing = records.count
        return true
    }

    /// - Returns: what is wrong with the records that have become durable.
    mutating func endSync() -> JournalImage.Contradiction? {
        guard let end = syncing.take() else { return nil }
        return keep(through: end)
    }

    /// Questions whose turn has come.
    mutating func takeAnswers() -> [(ticket: UInt64, result: KeptResult?)] {
        let ready = lookups.prefix { $0.after <= synced }
        lookups.removeFirst(ready.count)
        return ready.map { ($0.ticket, image.find($0.lookup)) }
    }

    /// The machine loses power, or the process its life: of what was not synced, a part is left.
    mutating func crash(using generator: inout SeededGenerator) -> JournalImage.Contradiction? {
        let left = synced + generator.index(below: records.count - synced + 1)
        // Mostly all or nothing: a process that dies loses nothing that it wrote, a machine all of it.
        let kept = [synced, records.count, left][generator.index(below: 3)]
        records.removeSubrange(kept...)
        syncing = nil
        lookups.removeAll()
        return keep(through: kept)
    }

    mutating func open() -> Recovery {
        base = records.count
        return image.open()
    }

    private mutating func keep(through end: Int) -> JournalImage.Contradiction? {
        defer { synced = end }
        for index in synced..<end {
            do throws(JournalImage.Contradiction) {
                for record in records[index] { try image.apply(record) }
            } catch {
                return error
            }
        }
        return nil
    }

    /// The image made anew from the first record on; its epoch is not that of the real one.
    func refolded() -> JournalImage? {
        var fresh = JournalImage()
        for record in records.prefix(synced).joined() where (try? fresh.apply(record)) == nil { return nil }
        return fresh
    }
}
