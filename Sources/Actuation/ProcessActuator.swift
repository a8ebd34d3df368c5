internal import Foundation
package import Logging

/// Workers as processes of this machine, children of this one.
///
/// One that ends by itself is missed by `size`, so the controller starts another. A child ends when this process does,
/// however that ends: it reads its standard input, of which this process holds the other end.
package actor ProcessActuator: Actuator {
    private struct Child {
        let name: String
        let process: Process
        /// Held open for as long as the child is wanted.
        let lifeline: Pipe
        let exit: ExitSignal
        var isLeaving = false
    }

    package nonisolated let name = "processes of this machine"
    private let executable: String
    private let arguments: @Sendable (_ name: String) -> [String]
    private let logger: Logger
    private var children: [Child] = []
    private var started = 0
    /// Children that ended within moments of their start, one after the other.
    private var failures = 0
    private var notBefore = ContinuousClock.now

    /// - Parameter arguments: what a worker of that name is started with.
    package init(
        executable: String,
        logger: Logger,
        arguments: @escaping @Sendable (_ name: String) -> [String]
    ) {
        self.executable = executable
        self.logger = logger
        self.arguments = arguments
    }

    package func size() -> Int {
        reap()
        return children.count { !$0.isLeaving }
    }

    /// Of those that are meant to stay.
    var names: [String] { children.filter { !$0.isLeaving }.map(\.name) }

    package func resize(to count: Int, sparing spare: [String]) throws {
        reap()
        let staying = children.indices.filter { !children[$0].isLeaving }
        if staying.count < count {
            guard ContinuousClock.now >= notBefore else { return }
            for _ in staying.count..<count { try start() }
            return
        }
        // Those that can best be spared, else the latest.
        let order = staying.sorted { left, right in
            let (first, second) = (
                spare.firstIndex(of: children[left].name), spare.firstIndex(of: children[right].name)
            )
            return (first ?? .max, -left) < (second ?? .max, -right)
        }
        for index in order.prefix(staying.count - count) {
            children[index].isLeaving = true
            children[index].process.terminate()
        }
    }

    /// Ends all children: after two seconds those that still have something to finish as well.
    package func close() async {
        for child in children { child.process.terminate() }
        let ids = children.map(\.process.processIdentifier)
        let exits = children.map(\.exit)
        let watch = Task {
            try await Task.sleep(for: .seconds(2.5))
            for (id, exit) in zip(ids, exits) where exit.status == nil { kill(id, SIGKILL) }
        }
        for child in children { _ = await child.exit.wait() }
        watch.cancel()
        children = []
    }

    private func start() throws {
        started += 1
        let name = "worker-\(started)"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments(name)
        let lifeline = Pipe()
        process.standardInput = lifeline
        let exit = ExitSignal()
        process.terminationHandler = { exit.raise($0.terminationStatus) }
        do {
            try process.run()
        } catch {
            throw ActuationError("\(executable) can't be run: \(error.localizedDescription)")
        }
        children.append(Child(name: name, process: process, lifeline: lifeline, exit: exit))
    }

    private func reap() {
        for child in children {
            guard let status = child.exit.status, !child.isLeaving else { continue }
            logger.warning("worker ended by itself", metadata: ["worker": "\(child.name)", "status": "\(status)"])
            failures += 1
            notBefore = .now + .seconds(min(30, 0.25 * Double(1 << min(failures, 8))))
        }
        if children.allSatisfy({ $0.exit.status == nil }), ContinuousClock.now > notBefore + .seconds(30) {
            failures = 0
        }
        children.removeAll { $0.exit.status != nil }
    }
}
