import Brokering
import Foundation
import Journal
import ServingModel
import Synchronization

// What a durable record costs: commits of the journal beside the least that any journal on this disk can do, which is to
// write as many bytes and to sync them. One commit of each in turn, so that both see the same disk.

let directory = CommandLine.arguments.count > 1 ? CommandLine.arguments[1] : FileManager.default.currentDirectoryPath
let place = directory + "/journal-bench-\(ProcessInfo.processInfo.processIdentifier)"
try FileManager.default.createDirectory(
    atPath: place,
    withIntermediateDirectories: true,
    attributes: [.posixPermissions: 0o700]
)
defer { try? FileManager.default.removeItem(atPath: place) }

let requestBytes = 1024
let journal = BenchedJournal(directory: place + "/journal")
let file = RawFile(path: place + "/raw")

print("1 KiB requests in \(directory); milliseconds a commit, the median and the 99th percentile")
print("group  journal p50  journal p99  records/s  raw p50  raw p99  raw records/s")
for (group, commits) in [(1, 600), (64, 300), (256, 150)] {
    var times: (journal: [Double], raw: [Double]) = ([], [])
    for _ in 0..<commits {
        times.journal.append(journal.commit(group, requestBytes: requestBytes))
        times.raw.append(file.commit(bytes: group * requestBytes))
    }
    print(
        String(
            format: "%5d  %11.2f  %11.2f  %9.0f  %7.2f  %7.2f  %13.0f",
            group,
            quantile(0.5, times.journal),
            quantile(0.99, times.journal),
            Double(group * commits) / times.journal.reduce(0, +) * 1000,
            quantile(0.5, times.raw),
            quantile(0.99, times.raw),
            Double(group * commits) / times.raw.reduce(0, +) * 1000
        )
    )
}
let flood = 50_000
let milliseconds = journal.flood(flood, requestBytes: requestBytes)
print("\(flood) records at once, grouped by the journal: \(Int(Double(flood) / milliseconds * 1000)) records/s")
let recovery = journal.reopen()
let size = "\(recovery.queries) unfinished queries, \(recovery.bytes >> 20) MiB"
print("opening with \(size): \(Int(recovery.milliseconds)) ms")

func quantile(_ share: Double, _ values: [Double]) -> Double {
    let ascending = values.sorted()
    return ascending[min(Int((share * Double(ascending.count)).rounded(.up)), ascending.count) - 1]
}
