import Brokering
import Foundation
import Journal
import PostgreSQL
import ServingModel
import Synchronization

// What a durable record costs: commits of the journal beside the least that any journal on this disk can do, which is to
// write as many bytes and to sync them. One commit of each in turn, so that all see the same disk.
//
//     JournalBench [DIRECTORY] [postgres://…]        with an address, a journal there as well

let arguments = CommandLine.arguments.dropFirst()
let address = try arguments.first { PostgreSQLAddress.isAddress($0) }.map { try PostgreSQLAddress($0) }
let directory =
    arguments.first { !PostgreSQLAddress.isAddress($0) } ?? FileManager.default.currentDirectoryPath
let place = directory + "/journal-bench-\(ProcessInfo.processInfo.processIdentifier)"
try FileManager.default.createDirectory(
    atPath: place,
    withIntermediateDirectories: true,
    attributes: [.posixPermissions: 0o700]
)
defer { try? FileManager.default.removeItem(atPath: place) }

let requestBytes = 1024
let clock: @Sendable () -> UnixTime = { UnixTime(milliseconds: 1_790_000_000_000) }
var journals: [(name: String, journal: BenchedJournal)] = [
    ("SQLite", BenchedJournal { SQLiteJournal(directory: place + "/journal", now: clock) })
]
if let address { journals.append(("PostgreSQL", BenchedJournal { PostgreSQLJournal(address, now: clock) })) }
let file = RawFile(path: place + "/raw")

print("1 KiB requests in \(directory); milliseconds a commit, the median and the 99th percentile")
print("group  journal     p50      p99      records/s")
for (group, commits) in [(1, 600), (64, 300), (256, 150)] {
    var times = [[Double]](repeating: [], count: journals.count + 1)
    for _ in 0..<commits {
        for (index, one) in journals.enumerated() {
            times[index].append(one.journal.commit(group, requestBytes: requestBytes))
        }
        times[journals.count].append(file.commit(bytes: group * requestBytes))
    }
    for (name, times) in zip(journals.map(\.name) + ["raw file"], times) {
        let rate = Double(group * commits) / times.reduce(0, +) * 1000
        let padded = name.padding(toLength: 10, withPad: " ", startingAt: 0)
        print(
            String(
                format: "%5d  \(padded)  %7.2f  %7.2f  %9.0f",
                group,
                quantile(0.5, times),
                quantile(0.99, times),
                rate
            )
        )
    }
}
let flood = 50_000
for (name, journal) in journals {
    let milliseconds = journal.flood(flood, requestBytes: requestBytes)
    print(
        "\(name): \(flood) records at once, grouped by the journal: \(Int(Double(flood) / milliseconds * 1000)) records/s"
    )
    let recovery = journal.reopen()
    print("\(name): opening with \(recovery.queries) unfinished queries: \(Int(recovery.milliseconds)) ms")
}

func quantile(_ share: Double, _ values: [Double]) -> Double {
    let ascending = values.sorted()
    return ascending[min(Int((share * Double(ascending.count)).rounded(.up)), ascending.count) - 1]
}
