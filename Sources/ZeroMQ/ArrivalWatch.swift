internal import Glibc
internal import ServingModel

/// Sees bytes arrive on a connection before they are a message.
///
/// libzmq hands a frame over when all of it is there, so that a large one on a slow link looks like silence; the kernel
/// knows better. Few bytes don't count: libzmq's own heartbeats come from a peer whose program hangs, too.
package struct ArrivalWatch {
    private let descriptor: CInt
    /// Tells the connection from a later one with the same descriptor.
    private let inode: ino_t
    private var latest: UInt64?

    /// Bytes between two looks that are more than heartbeats.
    private static let least: UInt64 = 256

    /// - Returns: nil for what is no TCP connection.
    package init?(descriptor: Int32) {
        var status = stat()
        guard Self.received(on: descriptor) != nil, fstat(descriptor, &status) == 0 else { return nil }
        self.descriptor = descriptor
        inode = status.st_ino
    }

    /// Whether something has arrived since the last look; the first only looks.
    package mutating func look() -> Bool {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_ino == inode, let now = Self.received(on: descriptor) else {
            latest = nil
            return false
        }
        defer { latest = now }
        guard let latest else { return false }
        return now >= latest + Self.least
    }

    /// Forgets the last look.
    package mutating func rest() { latest = nil }

    /// The bytes that a connection has received since it began.
    private static func received(on descriptor: CInt) -> UInt64? {
        // `struct tcp_info` of linux/tcp.h: tcpi_bytes_received is at 128 since Linux 4.1; glibc's own header ends before.
        var info = [UInt8](repeating: 0, count: 256)
        var size = socklen_t(info.count)
        guard getsockopt(descriptor, CInt(IPPROTO_TCP), TCP_INFO, &info, &size) == 0, size >= 136 else { return nil }
        return info.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 128, as: UInt64.self) }
    }
}

extension Socket {
    /// Watches the connection on which the message came that was received last; nil if it was not TCP.
    package func watchArrivals() -> ArrivalWatch? {
        latestDescriptor.flatMap { ArrivalWatch(descriptor: $0) }
    }
}
