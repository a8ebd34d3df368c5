import Brokering
import Foundation
import Journal
import ServingModel
import Synchronization

/// What the journal said last, for a thread that waits.
private final class Heard: Sendable {
    private let durable = Mutex<UInt64>(0)
    private let signal = DispatchSemaphore(value: 0)

    func tell(_ through: UInt64) {
        durable.withLock { $0 = through }
        signal.signal()
    }

    func wait(for count: UInt64) {
        while durable.withLock({ $0 }) < count { signal.wait() }
    }
}

/// A journal that is timed from `append` to the word that the records are durable.
final class BenchedJournal {
    private let make: () -> any Journal
    private var journal: any Journal
    private let heard = Heard()
    private var appended: UInt64 = 0
    private var next: UInt64 = 1

    init(_ make: @escaping () -> any Journal) {
        self.make = make
        journal = make()
        do throws(JournalFailure) { _ = try journal.recover() } catch { fatalError("cannot make a journal: \(error)") }
        start()
    }

    /// Milliseconds for one group of accepted queries.
    func commit(_ count: Int, requestBytes: Int) -> Double {
        time { append(count, requestBytes: requestBytes) }
    }

    /// Milliseconds for many, appended one by one.
    func flood(_ count: Int, requestBytes: Int) -> Double {
        time { for _ in 0..<count { append(1, requestBytes: requestBytes) } }
    }

    func reopen() -> (queries: Int, milliseconds: Double) {
        journal.close()
        let begin = DispatchTime.now()
        journal = make()
        guard let recovery = try? journal.recover() else { fatalError("cannot open the journal again") }
        let milliseconds = Double(DispatchTime.now().uptimeNanoseconds - begin.uptimeNanoseconds) / 1e6
        journal.close()
        return (recovery.queries.count, milliseconds)
    }

    private func start() {
        journal.start { [heard] event in
            switch event {
            case .durable(let through, _): heard.tell(through)
            case .stalled: break
            case .failed(let failure): fatalError("\(failure)")
            case .found: break
            }
        }
    }

    private func time(_ body: () -> Void) -> Double {
        let begin = DispatchTime.now()
        body()
        heard.wait(for: appended)
        return Double(DispatchTime.now().uptimeNanoseconds - begin.uptimeNanoseconds) / 1e6
    }

    private func append(_ count: Int, requestBytes: Int) {
        let records = (0..<count).map { offset -> JournalRecord in
            let number = next + UInt64(offset)
            return .accepted(
                AcceptedQuery(
                    number: QueryNumber(rawValue: number),
                    id: QueryID(unixMilliseconds: 1_790_000_000_000 + number, random: (number, number << 2)),
                    idempotencyKey: "key-\(number &* 0x9E37_79B9_7F4A_7C15)",
                    model: "aladdin-tiny",
                    promptBytes: requestBytes,
                    maxTokens: 64,
                    arrival: UnixTime(milliseconds: 1_790_000_000_000),
                    request: OpaqueRequest(
                        [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: requestBytes)
                    )
                )
            )
        }
        next += UInt64(count)
        appended += UInt64(count)
        journal.append(records)
    }
}
