import Simulation
let arguments = CommandLine.arguments
let first = UInt64(arguments[1])!
let count = UInt64(arguments[2])!
let limit = arguments.count > 3 ? Int(arguments[3])! : 0
let sabotage = arguments.count > 4 ? Sabotage(rawValue: arguments[4]) : nil
var coverage = FaultCoverage()
var events = 0
for seed in first..<first + count {
    var cluster = FaultyCluster(seed: seed, sabotage: sabotage, storyLimit: limit)
    cluster.run()
    coverage.add(cluster.coverage)
    events += cluster.events
    if let violation = cluster.violation {
        for line in cluster.story { print(line) }
        print("seed \(seed): \(violation)")
    }
}
print(events)
for corner in FaultCoverage.Corner.allCases { print("\(corner) \(coverage[corner])", terminator: ", ") }
print("\nmissing", coverage.missing)
