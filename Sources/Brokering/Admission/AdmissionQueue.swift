internal import HeapModule
internal import RecordTables
internal import ServingModel

/// What was admitted and is under way, by priority: sums only, each kept up to date in O(log n) an event.
///
/// A query that waits for its first token is on time until its TTFT objective is over. Then it no longer counts as ahead
/// of others: some policies serve such queries last. Those that serve them first have little to show in first tokens that
/// are on time, so their rate tells.
struct AdmissionQueue: Sendable {
    struct Entry: Sendable {
        var priority: Int
        var arrival: Instant
        var deadline: Instant
        /// Context at its first token.
        var tokens: Int
        /// Seconds of prefill work.
        var work: Double
        /// ATGT objective in seconds; infinite if it is out of reach.
        var tokenTime: Double
        var stage = Stage.waiting
        /// Counts its stays in the queue: deadlines of earlier ones are void.
        var stay: UInt32 = 0
    }

    enum Stage: Hashable, Sendable {
        case waiting
        /// Waiting still, beyond its objective.
        case late
        case running
    }

    /// Sums over the queries of one priority.
    struct Level: Sendable {
        let priority: Int
        /// Everything under way: queries, their prefill work, and the sum of 1/T_atgt.
        var count = 0
        var work = 0.0
        var paces = 0.0
        /// Of those, waiting and on time.
        var waiting = 0
        var waitingWork = 0.0
        var waitingTokens = 0.0
        /// Σ arrivals and Σ TTFT objectives of these, in seconds.
        var arrivals = 0.0
        var allowances = 0.0
    }

    private struct Timer: Comparable, Sendable {
        var deadline: Instant
        var number: QueryNumber
        var stay: UInt32

        static func < (left: Timer, right: Timer) -> Bool {
            (left.deadline, left.number) < (right.deadline, right.number)
        }
    }

    private(set) var entries = RecordTable<QueryNumber, Entry>()
    /// The highest priority first.
    private(set) var levels: [Level] = []
    private(set) var running = 0
    private var timers = Heap<Timer>()

    mutating func add(_ number: QueryNumber, _ entry: Entry) {
        remove(number)
        entries.insert(entry, for: number)
        let level = level(of: entry.priority)
        levels[level].count += 1
        levels[level].work += entry.work
        levels[level].paces += 1 / entry.tokenTime
        countWaiting(entry, level, 1)
        timers.insert(Timer(deadline: entry.deadline, number: number, stay: entry.stay))
        tidyTimers()
    }

    /// Drops timers of queries that have moved on once they are the greater part.
    private mutating func tidyTimers() {
        guard timers.count > 2 * entries.count + 64 else { return }
        timers = Heap(
            timers.unordered.filter { timer in
                entries[timer.number].map { $0.stay == timer.stay && $0.stage == .waiting } ?? false
            }
        )
    }

    /// Moves a query on, to its first token or back to wait.
    mutating func move(_ number: QueryNumber, to stage: Stage) {
        guard let place = entries.place(of: number) else { return }
        var entry = entries[place: place]
        guard entry.stage != stage else { return }
        let level = level(of: entry.priority)
        if entry.stage == .waiting { countWaiting(entry, level, -1) }
        if entry.stage == .running { running -= 1 }
        entry.stage = stage
        if stage == .running { running += 1 }
        if stage == .waiting {
            countWaiting(entry, level, 1)
            entry.stay &+= 1
            timers.insert(Timer(deadline: entry.deadline, number: number, stay: entry.stay))
        }
        entries[place: place] = entry
    }

    mutating func remove(_ number: QueryNumber) {
        guard let entry = entries.removeValue(forKey: number) else { return }
        let level = level(of: entry.priority)
        if entry.stage == .waiting { countWaiting(entry, level, -1) }
        if entry.stage == .running { running -= 1 }
        levels[level].count -= 1
        levels[level].work -= entry.work
        levels[level].paces -= 1 / entry.tokenTime
        // Sums of nothing are nothing, whatever rounding left of them.
        if levels[level].count == 0 { levels.remove(at: level) }
    }

    /// Takes note of the time: queries whose objective is over are late.
    ///
    /// - Returns: how many have just become so.
    mutating func advance(to now: Instant) -> Int {
        var count = 0
        while let timer = timers.min, timer.deadline < now {
            timers.removeMin()
            guard let entry = entries[timer.number], entry.stay == timer.stay, entry.stage == .waiting else { continue }
            move(timer.number, to: .late)
            count += 1
        }
        return count
    }

    /// The sums of everything of at least a priority.
    func total(atLeast priority: Int = .min) -> Level {
        var sum = Level(priority: priority)
        for level in levels where level.priority >= priority {
            sum.count += level.count
            sum.work += level.work
            sum.paces += level.paces
            sum.waiting += level.waiting
            sum.waitingWork += level.waitingWork
            sum.waitingTokens += level.waitingTokens
            sum.arrivals += level.arrivals
            sum.allowances += level.allowances
        }
        return sum
    }

    private mutating func countWaiting(_ entry: Entry, _ level: Int, _ change: Int) {
        levels[level].waiting += change
        levels[level].waitingWork += Double(change) * entry.work
        levels[level].waitingTokens += Double(change * entry.tokens)
        levels[level].arrivals += Double(change) * entry.arrival.seconds
        levels[level].allowances += Double(change) * (entry.deadline - entry.arrival).seconds
    }

    private mutating func level(of priority: Int) -> Int {
        let place = levels.firstIndex { $0.priority <= priority } ?? levels.count
        if place == levels.count || levels[place].priority != priority {
            levels.insert(Level(priority: priority), at: place)
        }
        return place
    }
}
