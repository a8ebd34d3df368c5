internal import Foundation
internal import Synchronization

/// The lines that a process has printed so far, and those who wait for one.
final class LineLog: Sendable {
    private struct Waiter {
        var matches: @Sendable (String) -> Bool
        var resume: CheckedContinuation<String?, Never>
    }

    private struct State {
        var lines: [String] = []
        var partial: [UInt8] = []
        var hasEnded = false
        var waiters: [Int: Waiter] = [:]
        var nextWaiter = 0
    }

    private let state = Mutex(State())

    var lines: [String] { state.withLock { $0.lines } }
    var text: String { lines.joined(separator: "\n") }

    func append(_ bytes: ArraySlice<UInt8>) {
        let resumptions = state.withLock { state -> [(CheckedContinuation<String?, Never>, String)] in
            var resumptions: [(CheckedContinuation<String?, Never>, String)] = []
            for byte in bytes {
                guard byte == UInt8(ascii: "\n") else {
                    state.partial.append(byte)
                    continue
                }
                resumptions += Self.add(&state)
            }
            return resumptions
        }
        for (waiter, line) in resumptions { waiter.resume(returning: line) }
    }

    func end() {
        let waiters = state.withLock { state -> [CheckedContinuation<String?, Never>] in
            var resumptions: [(CheckedContinuation<String?, Never>, String)] = []
            if !state.partial.isEmpty { resumptions = Self.add(&state) }
            for (waiter, line) in resumptions { waiter.resume(returning: line) }
            state.hasEnded = true
            defer { state.waiters.removeAll() }
            return state.waiters.values.map(\.resume)
        }
        for waiter in waiters { waiter.resume(returning: nil) }
    }

    /// The first line from `index` on that matches; nil once none can come any more.
    func first(from index: Int = 0, where matches: @escaping @Sendable (String) -> Bool) async -> String? {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let known: String?? = state.withLock { state in
                    if let line = state.lines.dropFirst(index).first(where: matches) { return .some(line) }
                    if state.hasEnded || Task.isCancelled { return .some(nil) }
                    state.waiters[number] = Waiter(matches: matches, resume: waiter)
                    return nil
                }
                if let known { waiter.resume(returning: known) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume.resume(returning: nil)
        }
    }

    private static func add(_ state: inout State) -> [(CheckedContinuation<String?, Never>, String)] {
        let line = String(decoding: state.partial, as: UTF8.self)
        state.partial.removeAll(keepingCapacity: true)
        state.lines.append(line)
        let satisfied = state.waiters.filter { $0.value.matches(line) }
        for number in satisfied.keys { state.waiters[number] = nil }
        return satisfied.values.map { ($0.resume, line) }
    }
}
