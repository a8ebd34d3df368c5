internal import ServingModel

/// How long a thread goes on looking for work before it sleeps.
///
/// To be woken takes tens of microseconds where a processor has to leave its halt for it, longer than most messages take to
/// be dealt with. Each time that something came soon, but only once the thread was asleep, it looks for twice as long from
/// then on; each time that nothing came soon, for half as long. So a thread that has always something to do soon hardly
/// sleeps, and one that seldom has sleeps at once. The kernel's haltpoll halts its processors by the same rule.
struct BusyPoll {
    /// What comes later than this is worth a wake-up; 0 for a thread that always sleeps at once.
    let most: Interval

    /// How long to look now.
    private(set) var span = Interval.zero

    /// The span that the first short sleep leads to, as a share of `most`: what is less is not worth looking at the clock for.
    private static let leastShare: Int64 = 8

    /// If others have the processor for longer when it is offered to them, there are too few for looking on.
    static let longestTurn = Interval(nanoseconds: 10_000)

    init(most: Interval) {
        precondition(most >= .zero, "a time to look for is not negative")
        self.most = most
    }

    /// Takes note that others waited for the processor.
    mutating func wasCrowded() {
        span = .zero
    }

    /// Takes note of a sleep that came to its end so long after the thread had nothing more to do.
    mutating func slept(until time: Interval) {
        let least = most.nanoseconds / Self.leastShare
        let next = time > most ? span.nanoseconds / 2 : max(span.nanoseconds * 2, least)
        span = next < least ? .zero : min(Interval(nanoseconds: next), most)
    }
}
