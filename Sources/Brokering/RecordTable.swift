/// Records by their keys that are read and changed where they lie.
///
/// A dictionary hands out copies, and moves a value out and back to change one field of it; for records of hundreds of
/// bytes and many references that is most of what an access costs. Here a dictionary holds places and the records stay
/// put. The order of keys and records is as little to be relied on as a dictionary's.
///
/// Complexity: as a dictionary's; `values` O(places).
struct RecordTable<Key: Hashable & Sendable, Record: Sendable>: @unchecked Sendable {
    // The memory is changed only while this is the one reference to it, so it is as safe to share as its records.
    private var memory = Memory(capacity: 0)
    private var places: [Key: Int] = [:]
    private var free: [Int] = []

    init() {}

    var count: Int { places.count }
    var keys: Dictionary<Key, Int>.Keys { places.keys }
    var values: [Record] { places.values.compactMap { memory.records[$0] } }

    subscript(key: Key) -> Record? {
        _read {
            if let place = places[key] { yield memory.records[place] } else { yield nil }
        }
        _modify {
            guard let place = places[key] else {
                var record: Record?
                yield &record
                if let record { insert(record, for: key) }
                return
            }
            makeUnique()
            yield &memory.records[place]
            if memory.isFree(place) { forget(place, of: key) }
        }
    }

    /// Where a record lies, until it is removed; nil if there is none.
    func place(of key: Key) -> Int? { places[key] }

    /// The record at a place, to be read or changed there.
    ///
    /// - Precondition: there is one.
    subscript(place place: Int) -> Record {
        _read { yield memory.record(at: place).pointee }
        _modify {
            makeUnique()
            yield &memory.record(at: place).pointee
        }
    }

    mutating func removeValue(forKey key: Key) -> Record? {
        guard let place = places[key] else { return nil }
        makeUnique()
        defer { forget(place, of: key) }
        return memory.records[place].take()
    }

    private mutating func insert(_ record: Record, for key: Key) {
        makeUnique()
        let place = free.popLast() ?? memory.count
        if place == memory.count, place == memory.capacity {
            memory = Memory(moving: memory, capacity: Swift.max(8, 2 * memory.capacity))
        }
        memory.set(record, at: place)
        places[key] = place
    }

    private mutating func forget(_ place: Int, of key: Key) {
        places[key] = nil
        free.append(place)
    }

    private mutating func makeUnique() {
        if !isKnownUniquelyReferenced(&memory) { memory = Memory(copying: memory) }
    }

    /// Room for records, the first `count` places of which are taken or free.
    private final class Memory {
        let records: UnsafeMutablePointer<Record?>
        let capacity: Int
        private(set) var count = 0

        init(capacity: Int) {
            records = .allocate(capacity: capacity)
            self.capacity = capacity
        }

        convenience init(copying other: Memory) {
            self.init(capacity: other.capacity)
            records.initialize(from: other.records, count: other.count)
            count = other.count
        }

        convenience init(moving other: Memory, capacity: Int) {
            self.init(capacity: capacity)
            records.moveInitialize(from: other.records, count: other.count)
            count = other.count
            other.count = 0
        }

        deinit {
            records.deinitialize(count: count)
            records.deallocate()
        }

        /// What an optional holds lies at its beginning, so that it can be reached without being taken out.
        func record(at place: Int) -> UnsafeMutablePointer<Record> {
            precondition(!isFree(place), "nothing lies at a place after it was removed")
            return UnsafeMutableRawPointer(records + place).assumingMemoryBound(to: Record.self)
        }

        func isFree(_ place: Int) -> Bool { records[place] == nil }

        func set(_ record: Record, at place: Int) {
            if place == count {
                (records + place).initialize(to: record)
                count += 1
            } else {
                records[place] = record
            }
        }
    }
}

extension RecordTable: Sequence {
    func makeIterator() -> AnyIterator<(key: Key, value: Record)> {
        var rest = places.makeIterator()
        return AnyIterator { [memory] in
            guard let entry = rest.next(), let record = memory.records[entry.value] else { return nil }
            return (entry.key, record)
        }
    }
}
