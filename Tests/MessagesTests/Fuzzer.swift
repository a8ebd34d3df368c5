import Foundation
import ServingModel

@testable import Messages

/// How much is fuzzed: little in every run of the tests, and what is asked for in a long one.
struct FuzzSettings {
    var rounds = 130_000
    var seed: UInt64 = 4711

    static var current: FuzzSettings {
        let environment = ProcessInfo.processInfo.environment
        var settings = FuzzSettings()
        if let rounds = environment["ALADDIN_FUZZ_ROUNDS"].flatMap({ Int($0) }) { settings.rounds = rounds }
        if let seed = environment["ALADDIN_FUZZ_SEED"].flatMap({ UInt64($0) }) { settings.seed = seed }
        return settings
    }

    /// The types of messages, and the header.
    private static let kinds = 17

    var roundsPerKind: Int { max(rounds / Self.kinds, 1) }
}

/// One kind of frame, mutated and decoded many times.
struct Fuzzer: CustomStringConvertible {
    let name: String
    private(set) var accepted = 0
    private(set) var refused = 0
    /// What was wrong, if anything was.
    private(set) var fault: String?
    private var duration = Duration.zero

    private init(_ name: String) {
        self.name = name
    }

    var cases: Int { accepted + refused }

    var description: String {
        let rate = Double(cases) / max(duration / .seconds(1), 1e-9)
        return "\(name): \(cases) cases, \(accepted) read, \(refused) refused, \(Int(rate)) a second"
    }

    /// Bodies of random messages, merged, mutated, and read within the budget that a body of their size has.
    ///
    /// What is read must be written as something that is read as the same.
    static func bodies<Message: WireRoot & Drawable & Hashable>(
        of type: Message.Type,
        rounds: Int,
        seed: UInt64
    ) -> Fuzzer {
        var run = Fuzzer("\(type)")
        run.duration = ContinuousClock().measure {
            var random = SeededGenerator(seed: seed)
            var originals: [[UInt8]] = []
            for round in 0..<rounds where run.fault == nil {
                if round % 50 == 0 { originals = (0..<4).map { _ in Message.draw(&random).encode() } }
                var bytes = originals[round % originals.count]
                // Two messages in a row are one, merged.
                if random.chance(10) { bytes += originals[(round + 1) % originals.count] }
                for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, &random) }
                run.read(type, bytes, round)
            }
        }
        return run
    }

    private mutating func read<Message: WireRoot & Hashable>(_ type: Message.Type, _ bytes: [UInt8], _ round: Int) {
        let budget = Message.budget(forBytes: bytes.count)
        var arena = MessageArena(budget: budget)
        let message = try? bytes.withUnsafeBytes { try Message.decode($0, in: &arena) }
        if arena.usedBytes > budget { fault = "round \(round): \(arena.usedBytes) bytes of a budget of \(budget)" }
        guard let message else {
            refused += 1
            return
        }
        accepted += 1
        let again = try? Message.decode(message.encode())
        if again != message { fault = "round \(round): \(message) became \(again.map { "\($0)" } ?? "unreadable")" }
    }

    /// Headers, four of five of them mutated.
    static func headers(rounds: Int, seed: UInt64) -> Fuzzer {
        var run = Fuzzer("FrameHeader")
        run.duration = ContinuousClock().measure {
            var random = SeededGenerator(seed: seed)
            for round in 0..<rounds where run.fault == nil {
                let header = FrameHeader(
                    kind: FrameKind.allCases.randomElement(using: &random) ?? .ping,
                    method: Method.allCases.randomElement(using: &random) ?? .unspecified,
                    session: random.word(),
                    stream: random.chance(50) ? 0 : random.word(),
                    bodyLength: 5
                )
                var bytes = header.encode()
                if random.chance(80) { mutate(&bytes, &random) }
                guard let read = try? FrameHeader(decoding: bytes, bodyLength: 5) else {
                    run.refused += 1
                    continue
                }
                run.accepted += 1
                let again = try? FrameHeader(decoding: read.encode(), bodyLength: 5)
                if again != read {
                    run.fault = "round \(round): \(read) became \(again.map { "\($0)" } ?? "unreadable")"
                }
            }
        }
        return run
    }
}
