import Foundation
import ReferenceEngine

// Decoding at batch 1 against reading the same weights with the same threads, in alternating pairs; or the speed of a model
// from a directory, as a line of JSON.
//
// Usage: ReferenceEngineBench [bfloat16|float16|float32] [pairs]
//        ReferenceEngineBench --model DIRECTORY PROMPT-TOKENS ANSWER-TOKENS THREADS

let arguments = CommandLine.arguments.dropFirst()
if arguments.first == "--model" {
    let numbers = arguments.dropFirst(2).compactMap { Int($0) }
    guard arguments.count == 5, numbers.count == 3, numbers.allSatisfy({ $0 > 0 }) else {
        let usage = "usage: ReferenceEngineBench --model DIRECTORY PROMPT ANSWER THREADS\n"
        FileHandle.standardError.write(Data(usage.utf8))
        exit(2)
    }
    let directory = arguments[arguments.startIndex + 1]
    let (prompt, answer) = (numbers[0], numbers[1])
    let benchmark = try ModelBenchmark(directory: directory, context: prompt + answer, threads: numbers[2])
    // Touches memory, and is not counted.
    _ = try benchmark.run(prompt: prompt, answer: 1)
    let result = try benchmark.run(prompt: prompt, answer: answer)
    let tokens = result.tokens.map { "\($0)" }.joined(separator: ", ")
    let rates = "\"prefill_per_s\": \(result.prefillRate), \"decode_per_s\": \(result.decodeRate)"
    print("{\(rates), \"tokens\": [\(tokens)]}")
    exit(0)
}
let element = arguments.first.flatMap(DecodeBenchmark.Element.init) ?? .bfloat16
let pairs = max(5, arguments.dropFirst().first.flatMap { Int($0) } ?? 9)
let tokensPerRound = 8

func milliseconds(_ body: () -> Void) -> Double {
    let start = ContinuousClock.now
    body()
    return (ContinuousClock.now - start) / .milliseconds(1) / Double(tokensPerRound)
}

func median(_ values: [Double]) -> Double {
    values.sorted()[values.count / 2]
}

func decimal(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    return "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)"
}

let benchmark = try DecodeBenchmark(element: element)
print("\(element.rawValue), \(benchmark.bytesPerToken / 1_000_000) MB a token, \(benchmark.threads) threads")

// Both results are used, so that neither loop can be left out.
var checksum: UInt64 = benchmark.readWeights(1)
checksum &+= UInt64(benchmark.decode(1))
var decodes: [Double] = []
var reads: [Double] = []
for _ in 0..<pairs {
    reads.append(milliseconds { checksum &+= benchmark.readWeights(tokensPerRound) })
    decodes.append(milliseconds { checksum &+= UInt64(benchmark.decode(tokensPerRound)) })
}
let ratios = zip(decodes, reads).map { $0 / $1 }
let gigabytes = Double(benchmark.bytesPerToken) / 1e6
print("read    \(decimal(median(reads))) ms, \(decimal(gigabytes / median(reads))) GB/s")
print("decode  \(decimal(median(decodes))) ms a token, \(decimal(gigabytes / median(decodes))) GB/s")
print("ratio   \(decimal(median(ratios))) (target: at most 1.67), each: \(ratios.map(decimal).joined(separator: " "))")
print("checksum \(checksum)")
