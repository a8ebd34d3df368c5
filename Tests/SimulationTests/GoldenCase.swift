import Batching
import Foundation
import ServingModel
import Simulation

/// One golden file: a fleet, a trace, and what must become of it under each mode and policy.
///
/// The figures were made by two implementations of the worker model that are independent of this one.
struct GoldenCase: Decodable {
    struct Query: Decodable {
        var arrivalNanoseconds: Int64
        var inputTokens: Int
        var outputTokens: Int

        enum CodingKeys: String, CodingKey {
            case arrivalNanoseconds = "arrival_ns"
            case inputTokens = "input_tokens"
            case outputTokens = "output_tokens"
        }
    }

    struct Expectation: Decodable {
        var mode: String
        var policy: String
        var preemptions: Int
        var queries: [Outcome]
    }

    struct Outcome: Decodable, Hashable {
        var worker: Int?
        var firstNanoseconds: Int64?
        var lastNanoseconds: Int64?
        var preemptions: Int

        enum CodingKeys: String, CodingKey {
            case worker
            case firstNanoseconds = "first_ns"
            case lastNanoseconds = "last_ns"
            case preemptions
        }

        init(_ record: QueryRecord) {
            worker = record.worker
            firstNanoseconds = record.firstToken?.nanoseconds
            lastNanoseconds = record.finish?.nanoseconds
            preemptions = record.preemptions
        }
    }

    var name: String
    var workers: Int
    var profile: LatencyProfile
    var queries: [Query]
    var expected: [Expectation]

    var trace: [SimulatedQuery] {
        queries.map {
            SimulatedQuery(
                arrival: Instant(nanoseconds: $0.arrivalNanoseconds),
                inputTokens: $0.inputTokens,
                outputTokens: $0.outputTokens
            )
        }
    }

    static func load(_ name: String) throws -> GoldenCase {
        let folder = Bundle.module.resourceURL?.appending(component: "Golden")
        guard let file = folder?.appending(component: "\(name).json") else { throw CocoaError(.fileNoSuchFile) }
        return try JSONDecoder().decode(GoldenCase.self, from: Data(contentsOf: file))
    }
}
