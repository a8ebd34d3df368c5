internal import Foundation
internal import Messages
internal import ServingModel
internal import Testing

extension IntegrationTests {
    @Suite struct Explain {
        @Test func `A query that has ended is explained, as text and as JSON, and counts in the metrics`() async throws
        {
            let service = try await Service.up()
            let answer = try await HTTP.post(
                "\(service.url)/v1/chat/completions",
                HTTP.chat("Tell me a story about a lamp.", #""max_tokens": 20, "temperature": 0"#)
            )
            #expect(answer.status == 200)
            let id = try #require(answer.headers["x-aladdin-query-id"])
            let worker = try #require(answer.headers["x-aladdin-worker"])

            let text = try await Run.aladdin(["explain", id] + service.endpoints.flags)
            #expect(text.code == 0, "\(text.errors)")
            for piece in [id, "arrived", "pulled by \(worker)", "first token", "finished", "PREDICTED"] {
                #expect(text.output.contains(piece), "\(piece) in \(text.output)")
            }

            let run = try await Run.aladdin(["explain", id, "--json"] + service.endpoints.flags)
            let json = try run.json()
            #expect(json["state"] as? String == "ended" && json["output_tokens"] as? Int == 20)
            #expect(json["ttft_ms"] != nil && json["predicted_ttft_ms"] != nil)
            let attempts = try #require(json["attempts"] as? [[String: Any]])
            #expect(attempts.count == 1 && attempts.first?["worker_name"] as? String == worker)

            let metrics = try await HTTP.get("\(service.url)/metrics").body
            #expect(metrics.contains(#"aladdin_predictions_total{quantity="ttft"} 1"#))
            #expect(metrics.contains("aladdin_model_wasted_tokens_total{model="))
            let status = try await service.endpoints.status()
            #expect(status.predictions.timeToFirstToken.count == 1)
        }

        @Test func `A query that nobody knows, or that is none, is refused in words`() async throws {
            let service = try await Service.up(workers: 1)
            let unknown = "0190163d-8694-739b-aea5-966c26f8ad91"
            let missing = try await Run.aladdin(["explain", unknown] + service.endpoints.flags)
            #expect(missing.code == 1 && missing.errors.contains("no such query"))
            let malformed = try await Run.aladdin(["explain", "lamp"] + service.endpoints.flags)
            #expect(malformed.code == 2 && malformed.errors.contains("'lamp' is not a query's identifier"))
        }
    }
}
