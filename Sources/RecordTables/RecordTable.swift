/// Records by their keys that are read and changed where they lie.
///
/// A dictionary hands out copies, and moves a value out and back to change one field of it; for records of hundreds of
/// bytes and many references that is most of what an access costs. Here a dictionary holds places and the records stay
/// put. The order of keys and records is as little to be relied on as a dictionary's.
///
/// Complexity: as a dictionary's; `values` O(places).
///
/// A module of its own, and public: what is only `package` is not specialised for the types of other modules, and a table
/// that is not is slower than the dictionary.
public struct RecordTable<Key: Hashable & Sendable, Record: Sendable>: @unchecked Sendable {
    // The memory is changed only while this is the one reference to it, so it is as safe to share as its records.
    @usableFromInline var memory = RecordMemory<Record>()
    // Half as long as other numbers: tables of them are a good part of what a record takes.
    @usableFromInline var places: [Key: Int32] = [:]
    @usableFromInline var free: [Int32] = []

    @inlinable
    public init() {}

    @inlinable public var count: Int { places.count }
    @inlinable public var isEmpty: Bool { places.isEmpty }
    @inlinable public var keys: Dictionary<Key, Int32>.Keys { places.keys }
    @inlinable public var values: [Record] { places.values.compactMap { memory.slot(Int($0)).pointee } }

    @inlinable
    public subscript(key: Key) -> Record? {
        _read {
            if let place = place(of: key) { yield memory.slot(place).pointee } else { yield nil }
        }
        _modify {
            guard let place = place(of: key) else {
                var record: Record?
                yield &record
                if let record { insert(record, for: key) }
                return
            }
            makeUnique()
            yield &memory.slot(place).pointee
            if memory.slot(place).pointee == nil { forget(place, of: key) }
        }
    }

    /// Where a record lies, until it is removed; nil if there is none.
    @inlinable
    public func place(of key: Key) -> Int? { places[key].map { Int($0) } }

    /// Whether a record lies at a place: the one that was there before, or another.
    @inlinable
    public func isTaken(_ place: Int) -> Bool { memory.isTaken(place) }

    /// The record at a place, to be read or changed there.
    ///
    /// - Precondition: there is one.
    @inlinable
    public subscript(place place: Int) -> Record {
        // An address, for what is yielded is copied before it is handed to a method.
        unsafeAddress { UnsafePointer(memory.record(at: place)) }
        _modify {
            makeUnique()
            yield &memory.record(at: place).pointee
        }
    }

    /// Calls a method of the record at a place, which gets no copy of it.
    ///
    /// What a subscript reads is copied for a method that is given the whole of it: the compiler cannot know that nothing
    /// changes it meanwhile.
    @inlinable
    public mutating func withRecord<Result>(at place: Int, _ body: (inout Record) -> Result) -> Result {
        makeUnique()
        return body(&memory.record(at: place).pointee)
    }

    @inlinable
    public mutating func removeValue(forKey key: Key) -> Record? {
        guard let place = place(of: key) else { return nil }
        makeUnique()
        defer { forget(place, of: key) }
        return memory.slot(place).pointee.take()
    }

    /// Drops the record at a place without handing it out.
    ///
    /// - Parameter key: its own.
    @inlinable
    public mutating func remove(at place: Int, key: Key) {
        makeUnique()
        // In its place: assigning would move it out first.
        memory.slot(place).deinitialize(count: 1)
        memory.slot(place).initialize(to: nil)
        forget(place, of: key)
    }

    /// Adds the record of a key that has none.
    ///
    /// - Returns: where it lies.
    @inlinable
    @discardableResult
    public mutating func insert(_ record: consuming Record, for key: Key) -> Int {
        makeUnique()
        let place: Int
        if let freed = free.popLast() {
            place = Int(freed)
            memory.slot(place).initialize(to: record)
            memory.note(place, isTaken: true)
        } else {
            place = memory.count
            memory.add(record)
        }
        places[key] = Int32(place)
        return place
    }

    @inlinable
    mutating func forget(_ place: Int, of key: Key) {
        places[key] = nil
        free.append(Int32(place))
        memory.note(place, isTaken: false)
    }

    @inlinable
    mutating func makeUnique() {
        if !isKnownUniquelyReferenced(&memory) { memory = RecordMemory(copying: memory) }
    }
}

extension RecordTable: Sequence {
    public func makeIterator() -> AnyIterator<(key: Key, value: Record)> {
        var rest = places.makeIterator()
        return AnyIterator { [memory] in
            guard let entry = rest.next(), let record = memory.slot(Int(entry.value)).pointee else { return nil }
            return (entry.key, record)
        }
    }
}

/// Room for records, the first `count` places of which are taken or free.
///
/// It grows by chunks, so that no record ever moves and no more than a chunk lies empty: of large records that is a third of
/// what a list that doubles would take.
@usableFromInline
final class RecordMemory<Record> {
    @usableFromInline typealias Chunk = UnsafeMutablePointer<Record?>

    /// Places in a chunk.
    @inlinable static var chunkPlaces: Int { 32 }

    // Reading and changing are as exclusive as they are of the table.
    @exclusivity(unchecked) @usableFromInline private(set) var chunks: UnsafeMutablePointer<Chunk>
    private var chunkCount = 0
    /// Chunks that there is room to point to.
    private var chunkRoom = 1
    @exclusivity(unchecked) @usableFromInline private(set) var count = 0
    /// A bit for each place of a chunk, set while a record lies there: to look into the record takes longer.
    @exclusivity(unchecked) @usableFromInline private(set) var taken: UnsafeMutablePointer<UInt32>

    @usableFromInline
    init() {
        chunks = .allocate(capacity: chunkRoom)
        taken = .allocate(capacity: chunkRoom)
    }

    @usableFromInline
    convenience init(copying other: RecordMemory) {
        self.init()
        for place in 0..<other.count { add(other.slot(place).pointee) }
    }

    deinit {
        for place in 0..<count { slot(place).deinitialize(count: 1) }
        for chunk in 0..<chunkCount { chunks[chunk].deallocate() }
        chunks.deallocate()
        taken.deallocate()
    }

    @inlinable
    func slot(_ place: Int) -> Chunk {
        chunks[place / Self.chunkPlaces] + place % Self.chunkPlaces
    }

    /// What an optional holds lies at its beginning, so that it can be reached without being taken out.
    @inlinable
    func record(at place: Int) -> UnsafeMutablePointer<Record> {
        precondition(isTaken(place), "nothing lies at a place after it was removed")
        return UnsafeMutableRawPointer(slot(place)).assumingMemoryBound(to: Record.self)
    }

    @inlinable
    func isTaken(_ place: Int) -> Bool {
        place >= 0 && place < count && taken[place / Self.chunkPlaces] & 1 << (place % Self.chunkPlaces) != 0
    }

    @inlinable
    func note(_ place: Int, isTaken: Bool) {
        let bit: UInt32 = 1 << (place % Self.chunkPlaces)
        if isTaken { taken[place / Self.chunkPlaces] |= bit } else { taken[place / Self.chunkPlaces] &= ~bit }
    }

    /// Adds a place at the end.
    @inlinable
    func add(_ record: consuming Record?) {
        makeRoom()
        let isTaken = record != nil
        slot(count).initialize(to: record)
        note(count, isTaken: isTaken)
        noteUse()
    }

    @usableFromInline
    func makeRoom() {
        guard count == chunkCount * Self.chunkPlaces else { return }
        if chunkCount == chunkRoom {
            let larger = UnsafeMutablePointer<Chunk>.allocate(capacity: 2 * chunkRoom)
            larger.moveInitialize(from: chunks, count: chunkCount)
            chunks.deallocate()
            let more = UnsafeMutablePointer<UInt32>.allocate(capacity: 2 * chunkRoom)
            more.moveInitialize(from: taken, count: chunkCount)
            taken.deallocate()
            (chunks, taken, chunkRoom) = (larger, more, 2 * chunkRoom)
        }
        (chunks + chunkCount).initialize(to: .allocate(capacity: Self.chunkPlaces))
        (taken + chunkCount).initialize(to: 0)
        chunkCount += 1
    }

    @usableFromInline
    func noteUse() { count += 1 }
}
