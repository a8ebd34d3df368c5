package import Brokering
package import ServingModel

/// Where a broker writes down what must outlive it.
///
/// Lifecycle: `recover()` once, before anything else; `start` begins the journal's own thread and names who hears of
/// what became durable; `append` and `lookUp` may then be called from one thread, never block and do no I/O there;
/// `close()` returns when everything appended is durable and the thread has ended.
///
/// Records become durable in the order appended, in groups: everything that arrived while the last group was being
/// synced goes into the next, so nobody waits for a timer.
package protocol Journal: AnyObject, Sendable {
    /// Begins a new epoch, durably, and reads what is unfinished.
    ///
    /// - Throws: `JournalFailure` if the journal is damaged, of another version or cannot be written; the message says
    ///   what would be lost by starting over.
    func recover() throws(JournalFailure) -> Recovery

    /// - Parameter handle: called on the journal's thread, in order.
    func start(_ handle: @escaping @Sendable (JournalEvent) -> Void)

    /// Takes records to be written; the handler hears when they are durable.
    func append(_ records: [JournalRecord])

    /// Asks for the result of an ended query; the handler is answered with `found`.
    ///
    /// The answer takes in all that was appended before the question, and comes when that is durable: the broker may have
    /// let go of a result that was still on its way to the disk.
    func lookUp(_ lookup: JournalLookup, ticket: UInt64)

    func close()

    /// Keeps what is known of workers for those who replay the past; never blocks, and may be lost.
    func note(workers: [String: LatencyProfile])

    /// Whether the broker may act on what it has: false once another may have taken the journal over.
    ///
    /// Asked at every round, so it has to be quick.
    var mayAct: Bool { get }
}

extension Journal {
    /// A journal that only one process can have open at all.
    package var mayAct: Bool { true }

    /// Where there is no place for it.
    package func note(workers: [String: LatencyProfile]) {}
}

/// What a journal has to say.
package enum JournalEvent: Sendable {
    /// The first `through` records appended since `start` are durable, the last of them as a group that took `took` to
    /// write and sync.
    case durable(through: UInt64, took: Interval)
    /// What a `lookUp` found: nil if there is no such ended query.
    case found(ticket: UInt64, KeptResult?)
    /// Records wait for a database that does not answer, and are tried again; nil when it does again.
    case stalled(JournalFailure?)
    /// A write or sync failed. It is not tried again, since the kernel may have dropped what it could not write; nothing
    /// more will be durable, and the broker has to stop.
    case failed(JournalFailure)
}

/// Why a journal cannot be used, in words for an operator.
package struct JournalFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// Another process has it open.
        case inUse
        /// What is there cannot be read as a whole.
        case damaged
        /// It was written by a later version of this program.
        case newerVersion
        /// The file system or the database says no: permissions, space, a failed sync.
        case inputOutput
        /// The database does not answer.
        case unreachable
        /// Another broker has taken it over.
        case superseded
    }

    package var kind: Kind
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// Whether another broker may go on where this one had to stop, or this one later.
    package var leavesLead: Bool { kind == .superseded || kind == .unreachable }

    package var description: String { message }
}
