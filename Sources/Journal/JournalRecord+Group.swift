internal import Brokering
internal import ServingModel

extension [JournalRecord] {
    /// Those that make a difference where all are written as one: how a query came to an end that is among them leaves no
    /// trace.
    var lasting: [JournalRecord] {
        var ended: Set<QueryNumber> = []
        for case .ended(let number, _) in self { ended.insert(number) }
        guard !ended.isEmpty else { return self }
        return filter { record in
            switch record {
            case .leased(let number, _, _), .checkpoint(let number, _), .reset(let number): !ended.contains(number)
            case .accepted, .retried, .resumed, .ended, .acknowledged: true
            }
        }
    }
}
