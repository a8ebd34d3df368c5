internal import Foundation

/// File systems that a journal had better not be on.
enum FileSystemKind {
    case network
    case memory
    case container

    /// What a path is on; nil if that is no reason to worry.
    ///
    /// - Parameters:
    ///   - path: absolute, without links.
    ///   - mounts: Linux's `/proc/self/mountinfo`.
    init?(of path: String, mounts: String) {
        var longest = ""
        var type: Substring = ""
        for line in mounts.split(separator: "\n") {
            // Optional fields end with a lone "-"; the type follows.
            let fields = line.split(separator: " ")
            guard fields.count > 5, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { continue }
            let point = fields[4].replacing("\\040", with: " ")
            let isAbove = point == "/" || path == point || path.hasPrefix(point + "/")
            // Of several mounts in one place the last is seen.
            guard isAbove, point.utf8.count >= longest.utf8.count else { continue }
            (longest, type) = (String(point), fields[dash + 1])
        }
        switch type {
        case "nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "glusterfs", "lustre", "afs": self = .network
        case _ where type.hasPrefix("fuse."): self = .network
        case "tmpfs", "ramfs": self = .memory
        case "overlay": self = .container
        default: return nil
        }
    }

    var warning: String {
        switch self {
        case .network: "is on a network file system, whose locks and syncs often don't hold what they promise"
        case .memory: "is in memory: it is gone when the machine restarts"
        case .container: "is in a container's own layer: it is gone with the container; mount a volume there"
        }
    }
}

extension SQLiteJournal {
    /// What an operator should know about where the journal is; nil if nothing.
    ///
    /// - Parameter directory: the journal's, or an existing one above it.
    package static func warning(about directory: String) -> String? {
        guard let mounts = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8) else { return nil }
        let path = URL(fileURLWithPath: directory).resolvingSymlinksInPath().path
        return FileSystemKind(of: path, mounts: mounts).map { "the journal's directory \(directory) \($0.warning)" }
    }
}
