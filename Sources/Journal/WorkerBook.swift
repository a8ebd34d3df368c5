internal import Dispatch
internal import Foundation
package import ServingModel
internal import Synchronization

/// The workers that a broker has had, by name, each with what was last known of its speed: a file beside the journal, so
/// that the past can be replayed without asking anybody how fast its workers were.
package final class WorkerBook: Sendable {
    /// Names, of this process's workers and of earlier ones; beyond it some are forgotten.
    private static let capacity = 4096

    private struct State {
        var workers: [String: LatencyProfile] = [:]
        var isWriting = false
        var isChanged = false
    }

    private let path: String
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "worker book")

    /// - Parameter directory: the journal's.
    package init(directory: String) {
        path = Self.path(in: directory)
    }

    /// Notes what is known of workers; a file that cannot be written is done without, as nothing else depends on it.
    ///
    /// Never blocks: the file is written on a thread of its own, the latest state of several at once.
    package func note(_ workers: [String: LatencyProfile]) {
        let mustWrite = state.withLock { state in
            for (name, profile) in workers where state.workers[name] != profile {
                if state.workers.count >= Self.capacity { state.workers.remove(at: state.workers.startIndex) }
                state.workers[name] = profile
                state.isChanged = true
            }
            guard state.isChanged, !state.isWriting else { return false }
            state.isWriting = true
            return true
        }
        if mustWrite { queue.async { self.write() } }
    }

    /// Returns when what was noted is in the file.
    package func close() {
        queue.sync {}
    }

    private func write() {
        let earlier = (try? Self.workers(inFile: path)) ?? [:]
        while true {
            let noted = state.withLock { state -> [String: LatencyProfile]? in
                guard state.isChanged else {
                    state.isWriting = false
                    return nil
                }
                state.isChanged = false
                return state.workers
            }
            guard let noted else { return }
            let all = earlier.count + noted.count > Self.capacity ? noted : earlier.merging(noted) { $1 }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
            guard let data = try? encoder.encode(all) else { continue }
            try? data.write(to: URL(fileURLWithPath: path), options: .atomic)
            // As the journal's other files.
            try? FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        }
    }

    /// What is known of the workers of a journal's past, by name; empty if nothing is.
    ///
    /// - Parameter place: the journal's directory; a database has no such file beside it.
    /// - Throws: if the file is there and cannot be read.
    package static func workers(in place: String) throws -> [String: LatencyProfile] {
        let path = path(in: place)
        return FileManager.default.fileExists(atPath: path) ? try workers(inFile: path) : [:]
    }

    private static func workers(inFile path: String) throws -> [String: LatencyProfile] {
        try JSONDecoder().decode([String: LatencyProfile].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    }

    private static func path(in directory: String) -> String { directory + "/workers.json" }
}
