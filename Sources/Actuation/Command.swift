internal import Foundation
internal import Synchronization

/// A program that is run to its end, with bounds on its time and on what of its output is kept.
struct Command: Sendable {
    static let outputLimit = 64 << 10

    var executable: String
    var arguments: [String]
    /// Added to this process's own.
    var environment: [String: String] = [:]
    var patience: Duration = .seconds(60)

    /// Runs it and returns what it wrote to its standard output.
    ///
    /// - Throws: `ActuationError` if it can't be run, fails, or takes longer than `patience` (it is killed then).
    func run() async throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [executable] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, own in own }
        process.standardInput = FileHandle.nullDevice
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        async let written = Self.read(output.fileHandleForReading)
        async let complaint = Self.read(errors.fileHandleForReading)
        let exit = ExitSignal()
        process.terminationHandler = { exit.raise($0.terminationStatus) }
        do {
            try process.run()
        } catch {
            for pipe in [output, errors] { try? pipe.fileHandleForWriting.close() }
            _ = await (written, complaint)
            throw ActuationError("\(executable) can't be run: \(error.localizedDescription)")
        }
        let id = process.processIdentifier
        let watch = Task {
            try await Task.sleep(for: patience)
            kill(id, SIGKILL)
        }
        let status = await exit.wait()
        watch.cancel()
        let (text, words) = await (written, complaint)
        guard status == 0 else {
            let last = words.split(separator: "\n").last.map { ": \($0)" } ?? ""
            throw ActuationError("\(executable) \(arguments.first ?? "") ended with \(status)\(last)")
        }
        return text
    }

    private static func read(_ handle: FileHandle) async -> String {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var data = Data()
                while let piece = try? handle.read(upToCount: 4096), !piece.isEmpty {
                    if data.count < outputLimit { data.append(piece) }
                }
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
        }
    }
}

/// The exit status of a process, told once.
final class ExitSignal: Sendable {
    private struct State {
        var status: Int32?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }

    private let state = Mutex(State())

    var status: Int32? { state.withLock { $0.status } }

    func raise(_ status: Int32) {
        let waiters = state.withLock { state in
            state.status = status
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: status) }
    }

    func wait() async -> Int32 {
        await withCheckedContinuation { continuation in
            let known = state.withLock { state in
                if state.status == nil { state.waiters.append(continuation) }
                return state.status
            }
            if let known { continuation.resume(returning: known) }
        }
    }
}
