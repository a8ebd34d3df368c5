/// What few records of a kind have, in a place of its own: a pointer, to nothing for all others.
///
/// A value like any other: copied when it is changed while others have it, too. One that was never changed reads as
/// `Value.init` makes it.
public struct Seldom<Value: Seldomness>: @unchecked Sendable {
    // Changed only where this is the one reference to it, so it is as safe to share as the value.
    @usableFromInline
    final class Storage {
        // Reading and changing are as exclusive as they are of the struct.
        @exclusivity(unchecked) @usableFromInline var value: Value

        @inlinable
        init(_ value: Value) {
            self.value = value
        }
    }

    @usableFromInline var storage: Storage?

    @inlinable
    public init() {}

    /// Whether there is anything; otherwise all parts are as `Value.init` makes them.
    @inlinable public var isPresent: Bool { storage != nil }

    /// A part of it, or what that is where there is nothing.
    @inlinable
    @inline(__always)
    public func part<Part>(_ part: (Value) -> Part, or absent: @autoclosure () -> Part) -> Part {
        if let storage { part(storage.value) } else { absent() }
    }

    /// The whole; what is made for the purpose where there is nothing.
    @inlinable public var whole: Value { storage?.value ?? Value() }

    /// Changes it, which makes a place for it: look first whether there is anything to change.
    @inlinable
    @inline(__always)
    public mutating func change(_ body: (inout Value) -> Void) {
        if !isKnownUniquelyReferenced(&storage) { storage = Storage(whole) }
        // Made just now if it was not there.
        body(&storage.unsafelyUnwrapped.value)
    }
}

/// What says nothing when it is made.
public protocol Seldomness: Sendable {
    init()
}

extension Seldom: Equatable where Value: Equatable {
    @inlinable
    public static func == (one: Seldom, other: Seldom) -> Bool {
        !one.isPresent && !other.isPresent || one.whole == other.whole
    }
}

extension Seldom: Hashable where Value: Hashable {
    @inlinable
    public func hash(into hasher: inout Hasher) { whole.hash(into: &hasher) }
}
