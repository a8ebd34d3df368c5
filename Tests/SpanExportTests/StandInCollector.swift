internal import Foundation
internal import Glibc
internal import Synchronization
internal import Testing

/// A collector on a real socket, which takes what is posted, or does as it is told.
final class StandInCollector: Sendable {
    private struct State {
        var bodies: [String] = []
        var statuses: [Int] = []
        var isMute = false
        var lastWaiter = 0
        var waiters: [Int: Waiter] = [:]
        var connections: [Int32] = []
    }

    private struct Waiter {
        var count: Int
        var resume: CheckedContinuation<Void, Never>
    }

    private let state = Mutex(State())
    private let listener: Int32
    let port: UInt16

    var url: String { "http://127.0.0.1:\(port)" }
    /// Bodies of all requests, those that were refused included.
    var bodies: [String] { state.withLock { $0.bodies } }

    init() throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        try #require(isBound && listen(listener, 16) == 0)
        Self.onThread { [self] in
            while case let connection = accept(self.listener, nil, nil), connection >= 0 {
                state.withLock { $0.connections.append(connection) }
                Self.onThread { [self] in serve(connection) }
            }
            close(self.listener)
        }
    }

    /// The statuses of the next answers; 200 after them.
    func answer(_ statuses: Int...) {
        state.withLock { $0.statuses = statuses }
    }

    /// Answers nothing any more.
    func fallSilent() {
        state.withLock { $0.isMute = true }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        state.withLock { state in
            for connection in state.connections { shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    /// Returns when so many requests have come in all, or when the task is cancelled, as one is whose time is up.
    func requests(_ count: Int) async {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.bodies.count >= count || Task.isCancelled { return true }
                    state.waiters[number] = Waiter(count: count, resume: continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume.resume()
        }
    }

    private func serve(_ connection: Int32) {
        // A number that is free again may be somebody else's next: nobody may know it any more.
        defer {
            state.withLock { state in
                state.connections.removeAll { $0 == connection }
                close(connection)
            }
        }
        var bytes: [UInt8] = []
        while let body = Self.request(&bytes, from: connection) {
            let (status, resumed) = state.withLock { state -> (Int?, [CheckedContinuation<Void, Never>]) in
                state.bodies.append(body)
                let count = state.bodies.count
                let ready = state.waiters.values.filter { $0.count <= count }.map(\.resume)
                state.waiters = state.waiters.filter { $0.value.count > count }
                if state.isMute { return (nil, ready) }
                return (state.statuses.isEmpty ? 200 : state.statuses.removeFirst(), ready)
            }
            for waiter in resumed { waiter.resume() }
            guard let status else { continue }
            let answer = Array("HTTP/1.1 \(status) X\r\ncontent-length: 2\r\n\r\n{}".utf8)
            _ = write(connection, answer, answer.count)
        }
    }

    /// The body of the next request; nil when there is no other.
    private static func request(_ bytes: inout [UInt8], from connection: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let end = text.range(of: "\r\n\r\n") {
                let head = text[..<end.lowerBound].lowercased()
                let length = head.firstMatch(of: /content-length: *([0-9]+)/).flatMap { Int($0.1) } ?? 0
                let start = text[..<end.upperBound].utf8.count
                if head.contains("expect: 100-continue"), bytes.count == start {
                    _ = write(connection, Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), 25)
                }
                if bytes.count >= start + length {
                    let body = String(decoding: bytes[start..<start + length], as: UTF8.self)
                    bytes.removeFirst(start + length)
                    return body
                }
            }
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
    }

    private static func onThread(_ body: @escaping @Sendable () -> Void) {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        pthread_create(
            &thread,
            nil,
            { pointer in
                guard let pointer else { return nil }
                Unmanaged<Box>.fromOpaque(pointer).takeRetainedValue().body()
                return nil
            },
            Unmanaged.passRetained(Box(body)).toOpaque()
        )
        pthread_detach(thread)
    }
}
