import Foundation
import Logging
import Synchronization
import Testing

@testable import Actuation

@Suite("Actuators")
struct ActuatorTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test("A command is told how many workers there should be, and a failing one is no success")
    func command() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let script = #"echo "$ALADDIN_MODEL $ALADDIN_CURRENT_WORKERS $ALADDIN_WORKERS $ALADDIN_SPARE" >> "#
        let actuator = CommandActuator(command: script + path) { ("m", 2) }
        try await actuator.resize(to: 4, sparing: ["b", "a"])
        try await actuator.resize(to: 3, sparing: [])
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "m 2 4 b a\nm 4 3 \n")
        #expect(try await actuator.size() == 3)
        let failing = CommandActuator(command: "echo no such fleet >&2; exit 3") { ("m", 1) }
        await #expect(throws: ActuationError("/bin/sh -c ended with 3: no such fleet")) {
            try await failing.resize(to: 2, sparing: [])
        }
        #expect(try await failing.size() == 1)
    }

    @Test("A command's fleet is not resized before it is known how large it is")
    func commandForAnUnknownFleet() async throws {
        let silence = ActuationError("no word from the broker")
        let answers = Mutex<[Result<(model: String, size: Int), ActuationError>]>([
            .failure(silence), .failure(silence), .success(("m", 5)),
        ])
        let actuator = CommandActuator(command: "test $ALADDIN_MODEL$ALADDIN_CURRENT_WORKERS = m5") {
            try answers.withLock { $0.removeFirst() }.get()
        }
        await #expect(throws: silence) { try await actuator.size() }
        await #expect(throws: silence) { try await actuator.resize(to: 1, sparing: []) }
        #expect(try await actuator.size() == 5)
        try await actuator.resize(to: 4, sparing: [])
        #expect(try await actuator.size() == 4)
    }

    @Test("A command's end is noticed although what it started goes on, with its output open", .timeLimit(.minutes(1)))
    func commandThatLeavesSomething() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        // What is left waits for a word, says something to whoever listens, and ends if nobody did.
        let fifo = directory.path + "/fifo"
        let left = "mkfifo \(fifo); (read word < \(fifo); echo $word; echo $word >&2; echo heard > \(fifo)) &"
        let command = Command(executable: "/bin/sh", arguments: ["-c", left + " echo started"])
        #expect(try await command.run() == "started\n")
        let answer = Command(executable: "/bin/sh", arguments: ["-c", "echo hello > \(fifo); cat \(fifo)"])
        #expect(try await answer.run() == "heard\n")
    }

    @Test("A command that takes too long is killed, and one that is not there can't be run", .timeLimit(.minutes(1)))
    func commandsThatFail() async throws {
        let endless = Command(executable: "sleep", arguments: ["3600"], patience: .zero)
        await #expect(throws: ActuationError("sleep 3600 was not done within 0.0 seconds")) { try await endless.run() }
        let missing = Command(executable: "/none/such", arguments: [])
        await #expect(throws: ActuationError("/none/such can't be run: No such file or directory")) {
            try await missing.run()
        }
    }

    @Test("Compose is asked for its containers and told the scale")
    func compose() async throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let docker = directory.appendingPathComponent("docker").path
        let script = """
            #!/bin/sh
            echo "$@" >> \(directory.path)/calls
            case "$*" in *" ps "*) echo 1f; echo 2f;; esac
            """
        try script.write(toFile: docker, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: docker)
        let actuator = ComposeActuator(service: "gpu", files: ["a.yaml", "b.yaml"], project: "p", docker: docker)
        #expect(try await actuator.size() == 2)
        try await actuator.resize(to: 5, sparing: [])
        let calls = try String(contentsOfFile: directory.path + "/calls", encoding: .utf8)
        #expect(
            calls == """
                compose -f a.yaml -f b.yaml -p p ps --quiet gpu
                compose -f a.yaml -f b.yaml -p p up -d --no-deps --no-recreate --scale gpu=5 gpu

                """
        )
        let missing = ComposeActuator(service: "gpu", files: [], project: nil, docker: directory.path + "/none")
        await #expect(throws: ActuationError.self) { try await missing.size() }
    }

    @Test("Processes are started, the idlest are sent away first, and all end with their parent's wish")
    func processes() async throws {
        // Each ends when told to, or when its input ends.
        let actuator = ProcessActuator(executable: "/bin/sh", logger: logger) { _ in ["-c", "exec cat"] }
        try await actuator.resize(to: 3, sparing: [])
        #expect(await actuator.size() == 3)
        try await actuator.resize(to: 1, sparing: ["worker-2", "worker-1"])
        #expect(await actuator.size() == 1)
        #expect(await actuator.names == ["worker-3"])
        await actuator.close()
        #expect(await actuator.size() == 0)
    }
}
