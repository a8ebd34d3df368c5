import CUnsyncedVFS
import Foundation

@testable import Journal

/// A disk of the test's own that forgets what was not synced when its power fails.
final class UnsyncedDisk {
    let name: String
    private let disk: OpaquePointer
    let directory = TemporaryDirectory()

    init() {
        name = "unsynced-\(UUID().uuidString)"
        disk = unsynced_disk_make(name)
    }

    func journal(
        _ configuration: JournalConfiguration = JournalConfiguration(),
        synchronous: String = "EXTRA"
    ) -> SQLiteJournal {
        var file = JournalFile(directory: JournalDirectory(path: directory.journal))
        file.fileSystem = name
        file.synchronous = synchronous
        return SQLiteJournal(file: file, configuration) { Samples.start }
    }

    /// Steps of this kind since the power came back.
    func steps(_ kind: unsynced_step = UNSYNCED_STEP_ANY) -> Int {
        Int(unsynced_disk_steps(disk, kind))
    }

    func plan(_ fault: unsynced_fault, at step: Int, of kind: unsynced_step = UNSYNCED_STEP_ANY) {
        unsynced_disk_plan(disk, fault, kind, Int64(step))
    }

    func powerOff() { unsynced_disk_power_off(disk) }

    /// - Parameter seed: what of the pending writes is there; 0 for none.
    func powerOn(seed: UInt64 = 0) { unsynced_disk_power_on(disk, seed) }

    func restart() { unsynced_disk_restart(disk) }

    func lie() { unsynced_disk_set_lying(disk, 1) }
}
