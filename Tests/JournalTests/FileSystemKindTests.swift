import Testing

@testable import Journal

@Suite("Where a journal is")
struct FileSystemKindTests {
    private static let mounts = """
        22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
        30 22 0:26 / /run rw shared:5 - tmpfs tmpfs rw
        31 22 0:50 / /var/lib/data rw shared:6 master:2 - nfs4 host:/export rw
        32 31 254:1 / /var/lib/data/local\\040disk rw - xfs /dev/vdb rw
        33 22 0:60 / /box rw - overlay overlay rw
        34 22 0:61 / /sshfs rw - fuse.sshfs user@host: rw
        """

    @Test(
        "The longest mount point above it decides",
        arguments: [
            ("/home/user", nil), ("/run/aladdin", .memory), ("/runner", nil), ("/var/lib/data", .network),
            ("/var/lib/data/local disk/journal", nil), ("/box/a/b", .container), ("/sshfs/x", .network),
        ] as [(String, FileSystemKind?)]
    )
    func kind(path: String, expected: FileSystemKind?) {
        #expect(FileSystemKind(of: path, mounts: Self.mounts) == expected)
    }
}
