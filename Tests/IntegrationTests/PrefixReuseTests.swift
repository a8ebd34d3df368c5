internal import Foundation
internal import Messages
internal import ServingModel
internal import Testing

extension IntegrationTests {
    @Suite struct PrefixReuse {
        /// Words that the small model has tokens for, some 1,300 bytes of them.
        private func prompt(_ seed: UInt64) -> String {
            var generator = SeededGenerator(seed: seed)
            let words = ["the", "little", "cat", "and", "a", "big", "dog", "went", "to", "play", "in", "park", "happy"]
            return (0..<300).compactMap { _ in words.randomElement(using: &generator) }.joined(separator: " ")
        }

        private func ask(
            _ service: Service,
            _ prompt: String
        ) async throws -> (text: String, id: String, worker: String) {
            let model = try await service.endpoints.status().models[0].model
            let answer = try await HTTP.post(
                "\(service.url)/v1/completions",
                #"{"model": "\#(model)", "prompt": "\#(prompt)", "max_tokens": 8, "temperature": 0}"#
            )
            #expect(answer.status == 200, "\(answer.body)")
            return (
                answer.body, try #require(answer.headers["x-aladdin-query-id"]),
                try #require(answer.headers["x-aladdin-worker"])
            )
        }

        @Test(arguments: ["cpu", "emulated"])
        func `Prompts that begin alike go where their beginning is held`(engine: String) async throws {
            let files = try TemporaryDirectory()
            var flags = ["--engine", engine]
            if engine == "emulated" {
                flags += ["--profile", try files.profile(stepMilliseconds: 1), "--prefix-cache", "on"]
            }
            let service = try await Service.up(flags, workers: 3)
            let opening = prompt(1)
            let first = try await ask(service, opening)
            let next = try await ask(service, opening + " and then")
            #expect(next.worker == first.worker)
            let run = try await Run.aladdin(["explain", next.id] + service.endpoints.flags)
            #expect(run.output.contains("its beginning is there"), "\(run.output)")
            #expect(run.output.contains("cached"), "\(run.output)")
        }

        @Test func `A prompt whose beginning was kept gets the answer that it gets without`() async throws {
            let keeping = try await Service.up(workers: 1)
            let forgetting = try await Service.up("--prefix-cache", "off", workers: 1)
            let prompts = [prompt(3), prompt(3) + " he said", prompt(3) + " she was"]
            func texts(_ service: Service) async throws -> [String] {
                var texts: [String] = []
                for prompt in prompts {
                    let body = try await ask(service, prompt).text
                    let object = try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any]
                    let choices = try #require(object?["choices"] as? [[String: Any]])
                    texts.append(try #require(choices[0]["text"] as? String))
                }
                return texts
            }
            #expect(try await texts(keeping) == texts(forgetting))
        }
    }
}
