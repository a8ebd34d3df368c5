import Foundation
import ServingModel
import Testing

@testable import Actuation

@Suite("The log of scaling decisions")
struct DecisionLogTests {
    private let decision = FleetController.Decision(from: 1, to: 3, reason: "demand", offeredLoad: 2.4567)
    private let wish = FleetWish(
        model: "m",
        workers: 3,
        gpusPerWorker: 1,
        reason: "demand",
        active: 1,
        starting: 2,
        offeredLoad: 2.4567
    )

    @Test("A line has when, what, why and what came of it")
    func line() {
        let entry = DecisionLog.Entry(
            decision: decision,
            wish: wish,
            actuator: "processes",
            outcome: "failed",
            error: "no \"room\""
        )
        #expect(
            DecisionLog.line(of: entry, at: UnixTime(milliseconds: 1_800_000_000_250)) == """
                {"actuator":"processes","awaited":2,"error":"no \\"room\\"","from":1,"model":"m",\
                "offered_load_workers":2.457,"outcome":"failed","reason":"demand","serving":1,\
                "time":"2027-01-15T08:00:00.250Z","to":3,"wished":3}
                """
        )
    }

    @Test("Lines are appended to what is there, and a file that is moved away begins anew")
    func appends() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let entry = DecisionLog.Entry(decision: decision, wish: nil, actuator: "a", outcome: "done")
        for _ in 1...2 { try DecisionLog(path: path).write(entry, at: UnixTime(milliseconds: 0)) }
        #expect(try lines(path).count == 2)
        let log = try DecisionLog(path: path)
        try FileManager.default.removeItem(atPath: path)
        try log.write(entry, at: UnixTime(milliseconds: 0))
        #expect(try lines(path).count == 1)
    }

    @Test("A file that cannot be written is an error that names it")
    func unwritable() {
        #expect(
            throws: ActuationError("the decision log /nowhere/x.jsonl cannot be written: No such file or directory")
        ) {
            try DecisionLog(path: "/nowhere/x.jsonl")
        }
    }

    private func lines(_ path: String) throws -> [Substring] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    }
}
