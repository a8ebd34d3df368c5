import Brokering
import CUnsyncedVFS
import Journal
import ServingModel
import Testing

@testable import Journal

@Suite("A journal whose disk fails")
struct FaultTests {
    private static var configuration: JournalConfiguration {
        var configuration = JournalConfiguration()
        configuration.logPages = 20
        configuration.maxLogPages = 40
        return configuration
    }

    private static func groups(seed: UInt64) -> [[JournalRecord]] {
        var stream = RecordStream(seed: seed)
        return (0..<6).map { _ in stream.records(6) }
    }

    private static func steps(of kind: unsynced_step) -> Int {
        let disk = UnsyncedDisk()
        var life = BrokerLife()
        #expect(life.run(disk.journal(configuration), groups(seed: 3)).isEmpty)
        return disk.steps(kind)
    }

    @Test(
        "A failed write or sync is told once and not tried again; what was durable stays, even if the power fails next"
    )
    func everyFault() throws {
        for kind in [UNSYNCED_STEP_SYNC, UNSYNCED_STEP_WRITE] {
            for step in stride(from: 0, to: Self.steps(of: kind), by: kind == UNSYNCED_STEP_SYNC ? 1 : 5) {
                let disk = UnsyncedDisk()
                disk.plan(UNSYNCED_FAULT_IO, at: step, of: kind)
                var life = BrokerLife()
                let failures = life.run(disk.journal(Self.configuration), Self.groups(seed: 3))
                try #require(failures.count <= 1)
                if let failure = failures.first { #expect(failure.kind == .inputOutput, "\(failure)") }
                // The next broker sees what the kernel holds, be it on the disk or not, and tells clients of it.
                disk.restart()
                let next = disk.journal(Self.configuration)
                let recovery = try next.recover()
                let agrees = life.agrees(with: recovery)
                try #require(agrees, "step \(step) of kind \(kind)")
                next.start { _ in }
                disk.powerOff()
                next.close()
                disk.powerOn()
                let last = disk.journal(Self.configuration)
                let found = try last.recover()
                let stillAgrees = life.agrees(with: found)
                try #require(stillAgrees, "step \(step) of kind \(kind), then the power failed")
                last.close()
            }
        }
    }

    @Test("A full disk is named; with room again, everything that was durable is there")
    func fullDisk() throws {
        var named = 0
        for step in stride(from: 0, to: Self.steps(of: UNSYNCED_STEP_WRITE), by: 9) {
            let disk = UnsyncedDisk()
            disk.plan(UNSYNCED_FAULT_ALWAYS_FULL, at: step, of: UNSYNCED_STEP_WRITE)
            var life = BrokerLife()
            let failures = life.run(disk.journal(Self.configuration), Self.groups(seed: 3))
            // When closing, nothing is to be told: all is durable.
            if failures.isEmpty { #expect(life.durable == 36) }
            for failure in failures {
                #expect(failure.kind == .inputOutput)
                #expect(failure.message.contains("the disk is full; make room"))
                named += 1
            }
            disk.restart()
            let next = disk.journal(Self.configuration)
            let recovery = try next.recover()
            let agrees = life.agrees(with: recovery)
            try #require(agrees, "step \(step)")
            next.close()
        }
        #expect(named > 5)
    }

    @Test("Nothing is taken after a failure, and closing returns")
    func afterFailure() throws {
        let disk = UnsyncedDisk()
        let journal = disk.journal()
        _ = try journal.recover()
        let listener = Listener()
        journal.start(listener.handle)
        disk.plan(UNSYNCED_FAULT_IO, at: disk.steps(UNSYNCED_STEP_SYNC), of: UNSYNCED_STEP_SYNC)
        journal.append([.accepted(Samples.query(1))])
        listener.waitForFailure()
        let steps = disk.steps()
        journal.append([.accepted(Samples.query(2))])
        journal.lookUp(.query(Samples.query(1).id), ticket: 1)
        journal.close()
        #expect(disk.steps() == steps)
        #expect(listener.durable == 0)
        #expect(listener.failures.count == 1)
        #expect(listener.lateEvents == 0)
    }

    @Test("A disk that stands still ends in a failure, not in memory without end")
    func backlog() throws {
        let directory = TemporaryDirectory()
        var configuration = JournalConfiguration()
        configuration.maxBacklogBytes = 10_000
        let journal = SQLiteJournal(directory: directory.journal, configuration: configuration) { Samples.start }
        _ = try journal.recover()
        // Before the thread starts, nothing is taken.
        journal.append((1...20).map { .accepted(Samples.query($0, requestBytes: 1000)) })
        let listener = Listener()
        journal.start(listener.handle)
        listener.waitForFailure()
        journal.close()
        #expect(listener.failures.first?.message.contains("too slow") == true)
        #expect(listener.durable == 0)
    }
}
