import Foundation
import Logging
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
        let actuator = CommandActuator(command: script + path, model: "m", size: 2)
        try await actuator.resize(to: 4, sparing: ["b", "a"])
        try await actuator.resize(to: 3, sparing: [])
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "m 2 4 b a\nm 4 3 \n")
        #expect(await actuator.size() == 3)
        let failing = CommandActuator(command: "echo no such fleet >&2; exit 3", model: "m", size: 1)
        await #expect(throws: ActuationError("/bin/sh -c ended with 3: no such fleet")) {
            try await failing.resize(to: 2, sparing: [])
        }
        #expect(await failing.size() == 1)
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
