internal import Foundation
internal import Synchronization

/// A PostgreSQL of the tests' own: in a temporary directory, on a socket there, gone with the process.
///
/// The server is the one that the system has, `ALADDIN_POSTGRESQL_BIN` or the newest below `/usr/lib/postgresql`. It does
/// not sync, so that it is quick: what it has written outlives its own death, not that of the machine.
package final class PostgreSQLServer: Sendable {
    /// One for all tests that do not harm it.
    package static let shared = PostgreSQLServer()

    /// Where its socket is.
    package let directory: String
    private let commands: FileHandle
    private let answers: LineReader
    private let turn = Mutex<Int>(0)

    /// - Parameter settings: lines for `postgresql.conf`.
    package init(settings: [String] = []) {
        // A socket's path must be short.
        directory = "/tmp/aladdin-pg-\(UUID().uuidString.prefix(8).lowercased())"
        guard let binaries = Self.binaries else {
            fatalError("there is no PostgreSQL server; install it with: .ci/install-packages tests")
        }
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
            let process = Process()
            process.executableURL = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "supervise")
            process.arguments = [directory, binaries] + settings
            let (input, output) = (Pipe(), Pipe())
            process.standardInput = input
            process.standardOutput = output
            commands = input.fileHandleForWriting
            answers = LineReader(output.fileHandleForReading)
            try process.run()
        } catch {
            fatalError("cannot start a PostgreSQL server: \(error)")
        }
        let answer = answers.next()
        guard answer == "ready" else { fatalError(answer ?? "PostgreSQL does not start") }
    }

    /// Ends the server and removes its directory.
    deinit { try? commands.close() }

    private static let binaries: String? = {
        if let given = ProcessInfo.processInfo.environment["ALADDIN_POSTGRESQL_BIN"] { return given }
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let newest = versions.compactMap { Int($0) }.max()
        return newest.map { "\(root)/\($0)/bin" }
    }()

    /// An address with a schema that no other test has.
    ///
    /// - Parameter proxy: the directory of a socket that leads here, instead of the server's own.
    package func address(user: String = "aladdin", schema: String? = nil, through proxy: String? = nil) -> String {
        let number = turn.withLock { turn in
            turn += 1
            return turn
        }
        let host = (proxy ?? directory).replacing("/", with: "%2F")
        return "postgres://\(user)@\(host)/journals?schema=\(schema ?? "test_\(number)")"
    }

    /// Starts it after `kill`.
    package func start() { tell("start") }

    /// Ends all of its processes at once.
    package func kill() { tell("kill") }

    package func restart() { tell("restart") }

    /// Stops all of its processes where they are.
    package func pause() { tell("pause") }

    package func resume() { tell("resume") }

    private func tell(_ command: String) {
        turn.withLock { _ in
            commands.write(Data("\(command)\n".utf8))
            _ = answers.next()
        }
    }
}

/// Lines as they come.
private final class LineReader: Sendable {
    private let handle: FileHandle
    private let rest = Mutex(Data())

    init(_ handle: FileHandle) {
        self.handle = handle
    }

    func next() -> String? {
        rest.withLock { rest in
            while true {
                if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    let line = String(decoding: rest[..<end], as: UTF8.self)
                    rest.removeSubrange(...end)
                    return line
                }
                let more = handle.availableData
                guard !more.isEmpty else { return rest.isEmpty ? nil : String(decoding: rest, as: UTF8.self) }
                rest.append(more)
            }
        }
    }
}
