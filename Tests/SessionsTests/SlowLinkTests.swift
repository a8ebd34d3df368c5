import Foundation
import Messages
import ServingModel
import Sessions
import Synchronization
import Testing
import ZeroMQ

/// A link that passes so many bytes in each direction every ten milliseconds, and that can be stopped.
private final class NarrowLink: Sendable {
    let address: String
    private let bytes: Int
    private let target: UInt16
    private let listener: CInt
    private let isStopped = Atomic<Bool>(false)

    /// - Parameter target: `tcp://127.0.0.1:PORT`.
    init(to target: String, bytes: Int) throws {
        self.bytes = bytes
        self.target = try #require(UInt16(target.split(separator: ":").last ?? ""))
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        // So that what waits, waits at its sender.
        var size: CInt = 4096
        setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        let bound = Self.withAddress(port: 0) { Glibc.bind(listener, $0, $1) }
        try #require(bound == 0 && listen(listener, 4) == 0)
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &name) {
            _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &length) }
        }
        address = "tcp://127.0.0.1:\(UInt16(bigEndian: name.sin_port))"
        self.listener = listener
        Thread.detachNewThread { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                connect(client)
            }
        }
    }

    func close() {
        isStopped.store(true, ordering: .relaxed)
        shutdown(listener, CInt(SHUT_RDWR))
        Glibc.close(listener)
    }

    /// From now on nothing passes, and nobody is told.
    func stop() { isStopped.store(true, ordering: .relaxed) }

    private func connect(_ client: CInt) {
        let upstream = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var size: CInt = 4096
        setsockopt(upstream, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        guard Self.withAddress(port: target, { Glibc.connect(upstream, $0, $1) }) == 0 else { return }
        Thread.detachNewThread { self.pass(client, upstream) }
        Thread.detachNewThread { self.pass(upstream, client) }
    }

    private func pass(_ from: CInt, _ to: CInt) {
        var buffer = [UInt8](repeating: 0, count: bytes)
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            // A link that is stopped keeps its ends open until the process ends.
            guard count > 0, !isStopped.load(ordering: .relaxed) else { return }
            guard send(to, buffer, count, CInt(MSG_NOSIGNAL)) == count else { return }
            usleep(UInt32(10_000 * count / buffer.count))
        }
    }

    private static func withAddress(port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

@Suite("Large frames on a narrow link", .timeLimit(.minutes(1)))
struct SlowLinkTests {
    /// Three seconds of the link below, which is twice the sessions' timeout.
    private static let body = [UInt8](repeating: 7, count: 1_200_000)

    private static func configure(_ configuration: inout SessionConfiguration) {
        configuration.heartbeatInterval = .milliseconds(100)
        configuration.sessionTimeout = .milliseconds(1500)
    }

    @Test("A frame that takes longer than the session's timeout arrives, whoever sends it, and the session lives on")
    func large() async throws {
        let endpoint = ServedEndpoint(Self.configure)
        let link = try NarrowLink(to: try await endpoint.open(), bytes: 4096)
        let peer = ConnectedPeer()
        var inputs = endpoint.events.makeAsyncIterator()
        var events = peer.events.makeAsyncIterator()
        try await peer.connect(to: link.address)
        #expect(await events.next() == .opened(session: 1))
        #expect(await peer.send(.call, stream: 1, body: Self.body))
        #expect(await inputs.next() == .call(session: 1, stream: 1, body: Self.body))
        await endpoint.send(Self.body, stream: 1, to: 1)
        #expect(await events.next() == .item(stream: 1, body: Self.body))
        #expect(await endpoint.sessionCount() == 1)
        await peer.stop()
        await endpoint.stop()
        link.close()
    }

    @Test("A link that stops in the middle of a frame ends the session on both sides")
    func stopped() async throws {
        let endpoint = ServedEndpoint(Self.configure)
        // So narrow that all of the frame cannot have passed before the link is stopped, however late that is.
        let link = try NarrowLink(to: try await endpoint.open(), bytes: 512)
        let peer = ConnectedPeer()
        var inputs = endpoint.events.makeAsyncIterator()
        var events = peer.events.makeAsyncIterator()
        try await peer.connect(to: link.address)
        #expect(await events.next() == .opened(session: 1))
        #expect(await peer.send(.call, stream: 1, body: Self.body))
        link.stop()
        #expect(await inputs.next() == .ended(session: 1))
        #expect(await events.next() == .lost(.sessionExpired))
        await peer.stop()
        await endpoint.stop()
        link.close()
    }
}
