internal import AladdinClient
internal import Foundation
internal import ServingModel

/// One query of a chaos run, as the driver writes it into the client's file: a JSON object a line.
struct ChaosQuery: Decodable, Sendable {
    let number: Int
    /// Seconds after the run's start.
    let at: Double
    let key: String
    let seed: UInt64
    let promptTokens: Int
    let maxTokens: Int
    let durability: String

    static func read(_ path: String) throws -> [ChaosQuery] {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return try text.split(separator: "\n").map { try decoder.decode(ChaosQuery.self, from: Data($0.utf8)) }
    }

    var request: QueryRequest {
        QueryRequest(
            input: .text(String(repeating: "word", count: promptTokens)),
            maxTokens: maxTokens,
            sampling: Sampling(seed: seed),
            metadata: [
                ("idempotency-key", key), ("x-aladdin-durability", durability),
                // Patient: what is late is not the subject here.
                ("x-slo-ttft-ms", "600000"), ("x-slo-tpot-ms", "60000"),
            ]
        )
    }
}
