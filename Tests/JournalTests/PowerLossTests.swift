import Brokering
import CUnsyncedVFS
import Journal
import ServingModel
import Testing

@testable import Journal

@Suite("A journal whose disk forgets what was not synced")
struct PowerLossTests {
    /// Few pages in the log, so that they are moved often, and pruning at every turn.
    private static var configuration: JournalConfiguration {
        var configuration = JournalConfiguration()
        configuration.logPages = 20
        configuration.maxLogPages = 40
        return configuration
    }

    private static func groups(seed: UInt64, _ count: Int) -> [[JournalRecord]] {
        var stream = RecordStream(seed: seed)
        return (0..<count).map { _ in stream.records(6) }
    }

    /// How many steps a life takes that nothing happens to.
    private static func steps(_ groups: [[JournalRecord]]) -> Int {
        let disk = UnsyncedDisk()
        var life = BrokerLife()
        #expect(life.run(disk.journal(configuration), groups).isEmpty)
        #expect(life.durable == life.records.count)
        return disk.steps()
    }

    @Test("Keeps what was durable, wherever the power fails", arguments: [0, 1, 2] as [UInt64])
    func everyStep(seed: UInt64) throws {
        let groups = Self.groups(seed: 40, 8)
        let steps = Self.steps(groups)
        #expect(steps > 100)
        for step in stride(from: Int(seed), to: steps, by: 3) {
            let disk = UnsyncedDisk()
            disk.plan(UNSYNCED_FAULT_POWER, at: step)
            var life = BrokerLife()
            _ = life.run(disk.journal(Self.configuration), groups)
            disk.powerOff()
            disk.powerOn(seed: seed == 0 ? 0 : seed &+ UInt64(step) &* 64)
            let again = disk.journal(Self.configuration)
            let recovery = try again.recover()
            let agrees = life.agrees(with: recovery)
            try #require(agrees, "power failed at step \(step)")
            #expect(life.agrees(withResultsOf: again), "power failed at step \(step)")
        }
    }

    @Test("Keeps what was durable over many lives that all end by a power failure")
    func manyLives() throws {
        let disk = UnsyncedDisk()
        var generator = SeededGenerator(seed: 7)
        var stream = RecordStream(seed: 8)
        var life = BrokerLife()
        for _ in 0..<20 {
            disk.plan(UNSYNCED_FAULT_POWER, at: 30 + Int(generator.next() % 150))
            let groups = (0..<Int(generator.next() % 8)).map { _ in stream.records(5) }
            _ = life.run(disk.journal(Self.configuration), groups)
            disk.powerOff()
            disk.powerOn(seed: generator.next() | 1)
            let again = disk.journal(Self.configuration)
            let recovery = try again.recover()
            let agrees = life.agrees(with: recovery)
            try #require(agrees)
            again.close()
            stream.restart(from: life.records)
        }
        #expect(life.records.count > 50)
    }

    @Test("Without syncs, records are lost, and this test sees it", arguments: [true, false])
    func negativeControl(isLying: Bool) throws {
        let groups = Self.groups(seed: 40, 8)
        var lost = 0
        for step in stride(from: 60, to: Self.steps(groups), by: 11) {
            let disk = UnsyncedDisk()
            if isLying { disk.lie() }
            disk.plan(UNSYNCED_FAULT_POWER, at: step)
            var life = BrokerLife()
            _ = life.run(disk.journal(Self.configuration, synchronous: isLying ? "EXTRA" : "OFF"), groups)
            disk.powerOff()
            disk.powerOn()
            let again = disk.journal(Self.configuration)
            // A journal that is refused is a loss as well.
            if let recovery = try? again.recover(), life.agrees(with: recovery) {} else { lost += 1 }
            again.close()
        }
        #expect(lost > 0)
    }
}
