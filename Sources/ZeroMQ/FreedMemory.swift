#if os(Linux)
internal import CZeroMQ
#endif

/// What becomes of memory that is not needed any more.
package enum FreedMemory {
    private static let keptBytes: CInt = 64 << 20
    private static let mappedBytes: CInt = 16 << 20

    /// Keeps it for the next query instead of giving it back to the kernel; for the whole process.
    ///
    /// glibc shrinks a heap whose end is free by 128 KiB, and maps and unmaps what is larger: a long prompt, or a hundred
    /// short queries, are that much again and again, and each time the kernel has to find and clear the pages.
    package static func keep() {
        #if os(Linux)
        mallopt(M_TRIM_THRESHOLD, keptBytes)
        mallopt(M_MMAP_THRESHOLD, mappedBytes)
        #endif
    }
}
