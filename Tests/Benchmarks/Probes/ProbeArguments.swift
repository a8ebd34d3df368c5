#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif
internal import Foundation
internal import ServingModel
internal import Simulation

/// The name of a probe and its `--name value` arguments.
struct ProbeArguments {
    let probe: String
    private var values: [String: String] = [:]

    init(_ words: ArraySlice<String>) throws {
        probe = words.first ?? ""
        var rest = words.dropFirst()
        while let name = rest.popFirst() {
            guard name.hasPrefix("--"), let value = rest.popFirst() else {
                throw ProbeError(message: "'\(name)' is not of the form --name value")
            }
            values[String(name.dropFirst(2))] = value
        }
    }

    func text(_ name: String, default value: String) -> String { values[name] ?? value }

    func number(_ name: String, default value: Double) throws -> Double {
        guard let text = values[name] else { return value }
        guard let number = Double(text), number > 0 else {
            throw ProbeError(message: "--\(name) must be a positive number, not '\(text)'")
        }
        return number
    }

    func numbers(_ name: String, default value: [Int]) throws -> [Int] {
        guard let text = values[name] else { return value }
        return try text.split(separator: ",").map {
            guard let number = Int($0), number > 0 else {
                throw ProbeError(message: "--\(name) must be positive numbers with commas between them, not '\(text)'")
            }
            return number
        }
    }

    /// The load of the published study: ShareGPT's lengths on a 70B model's workers.
    func study() throws -> SimulationStudy {
        let trace = try TraceReading(text: read("Tests/Data/traces/sharegpt_opt_poisson16.csv")).trace
        let profile = try JSONDecoder().decode(LatencyProfile.self, from: Data(read("Tests/Data/profiles/p70.json").utf8))
        var study = SimulationStudy(trace: trace, plan: ArrivalPlan(), workers: WorkerMix(profile))
        study.plan.arrivals = .poisson
        study.objective = ServiceLevelObjective(
            timeToFirstToken: .seconds(2),
            averageTokenTime: .milliseconds(100)
        )
        return study
    }

    private func read(_ path: String) throws -> String {
        let file = text("root", default: ".") + "/" + path
        guard let content = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw ProbeError(message: "\(file) can't be read; run this in the repository or give --root")
        }
        return content
    }
}

struct ProbeError: Error, CustomStringConvertible {
    let message: String
    var description: String { message }
}

/// Seconds for which this thread has run: what others do on the machine does not count.
func threadSeconds() -> Double { Double(threadNanoseconds()) / 1e9 }

/// Nanoseconds for which this thread has run.
@Sendable func threadNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Nanoseconds between two readings of this thread's clock with nothing between them: the median of many.
func stopwatchCost() -> Double {
    quantile(0.5, of: (0..<10_000).map { _ in -(Double(threadNanoseconds()) - Double(threadNanoseconds())) })
}

/// Writes a result as one line of JSON.
func report(_ object: [String: Any]) throws {
    let line = try JSONSerialization.data(withJSONObject: object, options: .sortedKeys)
    print(String(decoding: line, as: UTF8.self))
}

/// The least of some values that a share of them does not exceed.
func quantile(_ share: Double, of values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let ascending = values.sorted()
    return ascending[max(Int((share * Double(values.count)).rounded(.up)), 1) - 1]
}
