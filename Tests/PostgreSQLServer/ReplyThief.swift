internal import Foundation
internal import Glibc
internal import Synchronization

/// A socket that leads to a server, and on demand takes an answer away and breaks the connection: what was asked has then
/// happened, and nobody was told.
package final class ReplyThief: Sendable {
    /// Where its socket is, as libpq wants to know it.
    package let directory: String
    private let server: String
    private let listener: CInt
    private let isArmed = Atomic<Bool>(false)
    /// Answers taken so far.
    package var thefts: Int { taken.load(ordering: .relaxed) }
    private let taken = Atomic<Int>(0)

    package init(before server: PostgreSQLServer) {
        directory = "/tmp/aladdin-thief-\(UUID().uuidString.prefix(8).lowercased())"
        self.server = server.directory + "/.s.PGSQL.5432"
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        listener = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        let bound = Self.withAddress(directory + "/.s.PGSQL.5432") { bind(listener, $0, $1) }
        precondition(bound == 0 && listen(listener, 16) == 0, "the thief's socket cannot be bound")
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                connect(client)
            }
        }
    }

    /// Nobody connects any more.
    package func close() {
        shutdown(listener, CInt(SHUT_RDWR))
        Glibc.close(listener)
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Takes the next answer that passes.
    package func arm() { isArmed.store(true, ordering: .sequentiallyConsistent) }

    private func connect(_ client: CInt) {
        let upstream = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        guard Self.withAddress(server, { Glibc.connect(upstream, $0, $1) }) == 0 else {
            Glibc.close(client)
            Glibc.close(upstream)
            return
        }
        let pair = Pair(client, upstream)
        Thread.detachNewThread { self.pass(client, upstream, of: pair, isAnswer: false) }
        Thread.detachNewThread { self.pass(upstream, client, of: pair, isAnswer: true) }
    }

    private func pass(_ from: CInt, _ to: CInt, of pair: Pair, isAnswer: Bool) {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(from, &bytes, bytes.count, 0)
            guard count > 0 else { break }
            if isAnswer, isArmed.exchange(false, ordering: .sequentiallyConsistent) {
                taken.add(1, ordering: .sequentiallyConsistent)
                break
            }
            guard send(to, bytes, count, CInt(MSG_NOSIGNAL)) == count else { break }
        }
        pair.end()
    }

    /// The sockets of one connection, which both directions use.
    private final class Pair: Sendable {
        private let descriptors: [CInt]
        private let ended = Atomic<Int>(0)

        init(_ client: CInt, _ upstream: CInt) {
            descriptors = [client, upstream]
        }

        /// One direction has ended, and with it the other will.
        func end() {
            for descriptor in descriptors { shutdown(descriptor, CInt(SHUT_RDWR)) }
            // A number that is closed may be somebody else's next socket, which the other direction would shut down.
            guard ended.add(1, ordering: .sequentiallyConsistent).newValue == 2 else { return }
            for descriptor in descriptors { Glibc.close(descriptor) }
        }
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
