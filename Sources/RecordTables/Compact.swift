public import ServingModel

/// A type with a value that never occurs, which can stand for none.
public protocol HasSpareValue: Hashable, Sendable {
    static var spareValue: Self { get }
}

/// An optional in no more room than its value takes.
///
/// Swift's own optionals of numbers have a byte more, which the next field's alignment makes eight.
@propertyWrapper
public struct Compact<Value: HasSpareValue>: Hashable, Sendable {
    @usableFromInline var stored: Value

    @inlinable
    public init(wrappedValue: Value?) {
        stored = wrappedValue ?? .spareValue
    }

    @inlinable public var wrappedValue: Value? {
        get { stored == .spareValue ? nil : stored }
        set { stored = newValue ?? .spareValue }
    }
}

extension Int: HasSpareValue {
    @inlinable public static var spareValue: Int { .min }
}

extension Instant: HasSpareValue {
    /// 292 years before the clock's zero.
    @inlinable public static var spareValue: Instant { Instant(nanoseconds: .min) }
}

extension Interval: HasSpareValue {
    @inlinable public static var spareValue: Interval { Interval(nanoseconds: .min) }
}

extension WorkerID: HasSpareValue {
    @inlinable public static var spareValue: WorkerID { WorkerID(rawValue: .max) }
}
