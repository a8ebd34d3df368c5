#if os(Linux)
import Foundation
import Messages
import ServingModel
import Testing

@Suite("Memory")
struct LeakTests {
    /// Decodes valid, mutated and over-budget bodies of two types.
    private static func decodeMany(_ rounds: Int) {
        var random = SeededGenerator(seed: 7)
        let flood = (0..<20_000).flatMap { _ in Wire.number(15, 1) }
        for round in 0..<rounds {
            var step = WorkerReport.draw(&random).encode()
            var request = GenerateRequest.draw(&random).encode()
            if round % 2 == 1 {
                mutate(&step, &random)
                mutate(&request, &random)
            }
            for _ in 0..<10 {
                _ = try? WorkerReport.decode(step)
                _ = try? GenerateRequest.decode(request)
            }
            if round % 100 == 0 { _ = try? GenerateRequest.decode(flood) }
        }
    }

    private static var residentPages: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? Int(fields[1]) : nil
    }

    /// AddressSanitizer keeps what was freed for a while.
    private static let keepsFreedMemory = dlsym(nil, "__asan_init") != nil

    @Test(
        "decoding leaves nothing behind, whether it succeeds, fails or runs out of budget",
        .disabled(if: keepsFreedMemory)
    )
    func nothingLeaks() async {
        // In a process of its own: the heap of this one changes under the tests that run beside.
        await #expect(processExitsWith: .success) {
            LeakTests.decodeMany(1000)
            guard let before = LeakTests.residentPages else { exit(EXIT_FAILURE) }
            LeakTests.decodeMany(2000)
            guard let after = LeakTests.residentPages else { exit(EXIT_FAILURE) }
            // 40,000 decodings: 32 bytes left behind by each would make 320 pages.
            exit(after - before < 256 ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }

    @Test("fuzzing takes no memory that grows with its rounds: 2 MiB at most", .disabled(if: keepsFreedMemory))
    func fuzzingStaysSmall() async {
        await #expect(processExitsWith: .success) {
            var settings = FuzzSettings.current
            func run(_ rounds: Int) {
                _ = Fuzzer.bodies(of: GenerateRequest.self, rounds: rounds, seed: settings.seed)
                _ = Fuzzer.bodies(of: GenerateEvent.self, rounds: rounds, seed: settings.seed)
                _ = Fuzzer.bodies(of: WorkerReport.self, rounds: rounds, seed: settings.seed)
                _ = Fuzzer.bodies(of: WorkerCommand.self, rounds: rounds, seed: settings.seed)
                _ = Fuzzer.bodies(of: ClusterEvents.self, rounds: rounds, seed: settings.seed)
                _ = Fuzzer.headers(rounds: rounds, seed: settings.seed)
            }
            run(1000)
            guard let before = LeakTests.residentPages else { exit(EXIT_FAILURE) }
            settings.seed += 1
            run(settings.roundsPerKind / 4)
            guard let after = LeakTests.residentPages else { exit(EXIT_FAILURE) }
            exit(after - before < 512 ? EXIT_SUCCESS : EXIT_FAILURE)
        }
    }
}
#endif
