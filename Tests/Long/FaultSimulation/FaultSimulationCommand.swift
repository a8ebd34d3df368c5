import Simulation

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Runs seeds of the fault simulation: many of them, or one with its story.
@main
struct FaultSimulationCommand {
    private static let usage = """
        usage: FaultSimulation [--seeds N] [--first N] [--sabotage NAME]    runs N seeds (1000), from 0 or --first on
               FaultSimulation --seed N [--trace] [--sabotage NAME]         runs one seed again, and tells its story
               FaultSimulation --invariants                                 what is checked, and what it means
        """

    private var first: UInt64 = 0
    private var count: UInt64 = 1000
    private var isTraced = false
    private var sabotage: Sabotage?

    static func main() {
        do {
            try FaultSimulationCommand(Array(CommandLine.arguments.dropFirst())).run()
        } catch {
            print("\(error.message)\n\(usage)")
            exit(64)
        }
    }

    private struct Misuse: Error {
        let message: String
    }

    private init(_ arguments: [String]) throws(Misuse) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            switch option {
            case "--seeds": count = try Self.number(rest.popFirst(), after: option)
            case "--first": first = try Self.number(rest.popFirst(), after: option)
            case "--seed": (first, count) = (try Self.number(rest.popFirst(), after: option), 1)
            case "--trace": isTraced = true
            case "--sabotage":
                let name = rest.popFirst() ?? ""
                guard let found = Sabotage(rawValue: name) else {
                    let names = Sabotage.allCases.map(\.rawValue).joined(separator: ", ")
                    throw Misuse(message: "no sabotage '\(name)'; there are: \(names)")
                }
                sabotage = found
            case "--invariants":
                for invariant in FaultInvariant.allCases {
                    print("I\(invariant.rawValue) \(invariant.title): \(invariant.meaning)")
                }
                exit(0)
            default: throw Misuse(message: "unknown option '\(option)'")
            }
        }
    }

    private static func number(_ text: String?, after option: String) throws(Misuse) -> UInt64 {
        guard let number = text.flatMap({ UInt64($0) }) else {
            throw Misuse(message: "\(option) needs a number, not '\(text ?? "")'")
        }
        return number
    }

    private func run() {
        namesSeedOnTrap()
        var coverage = FaultCoverage()
        var events = 0
        for seed in first..<first + count {
            seedUnderWay = seed
            var cluster = FaultyCluster(seed: seed, sabotage: sabotage, storyLimit: isTraced ? .max / 4 : 0)
            cluster.run()
            coverage.add(cluster.coverage)
            events += cluster.events
            if isTraced { for line in cluster.story { print(line) } }
            if let violation = cluster.violation { report(violation, seed) }
            if count > 1000, (seed - first + 1) % 1000 == 0 { print("\(seed - first + 1) seeds, \(events) events") }
        }
        print("\(count) seeds, \(events) events: every invariant held")
        for corner in FaultCoverage.Corner.allCases { print("  \(corner) \(coverage[corner])") }
    }

    /// The seed once more, for its last events, and the end.
    private func report(_ violation: FaultViolation, _ seed: UInt64) -> Never {
        if !isTraced {
            var again = FaultyCluster(seed: seed, sabotage: sabotage, storyLimit: 40)
            again.run()
            for line in again.story.suffix(40) { print(line) }
        }
        print("seed \(seed): \(violation)")
        print("again, with its whole story: FaultSimulation --seed \(seed) --trace")
        exit(1)
    }
}

/// For the handler below, which may touch nothing else.
nonisolated(unsafe) private var seedUnderWay: UInt64 = 0

/// A machine that finds its own tables broken traps; the seed is worth knowing then, too.
private func namesSeedOnTrap() {
    for number in [SIGILL, SIGTRAP, SIGSEGV] {
        signal(number) { number in
            var digits: [UInt8] = Array("\nseed ".utf8)
            digits += Array(String(seedUnderWay).utf8) + Array(" broke a machine's own invariant\n".utf8)
            _ = write(2, digits, digits.count)
            signal(number, SIG_DFL)
            raise(number)
        }
    }
}
