import Foundation

/// A directory of the test's own, gone with it.
final class TemporaryDirectory {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "aladdin-journal-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Where a test's journal is.
    var journal: String { path + "/journal" }
    var database: String { journal + "/journal.sqlite" }
}
