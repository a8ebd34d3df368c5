/// A large value behind one reference, copied when it is changed while others have it, too.
///
/// For parts of a struct that is handed around often and that are looked at seldom.
struct Boxed<Value: Sendable>: @unchecked Sendable {
    // Changed only where this is the one reference to it, so it is as safe to share as the value.
    private final class Storage {
        // Reading and changing are as exclusive as they are of the struct.
        @exclusivity(unchecked) var value: Value

        init(_ value: Value) {
            self.value = value
        }
    }

    private var storage: Storage

    init(_ value: Value) {
        storage = Storage(value)
    }

    var value: Value {
        _read { yield storage.value }
        _modify {
            if !isKnownUniquelyReferenced(&storage) { storage = Storage(storage.value) }
            yield &storage.value
        }
    }
}
