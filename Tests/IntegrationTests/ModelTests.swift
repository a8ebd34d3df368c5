internal import Foundation
internal import Messages
internal import Testing

extension IntegrationTests {
    /// Several models behind one gateway, and what the gateway does not have.
    @Suite struct Models {
        private static let script = #"""
            import sys, openai

            client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", timeout=60)
            models = client.models.list().data
            assert sorted(model.id for model in models) == ["acme/large", "small"], models
            assert all(model.object == "model" and model.owned_by for model in models), models
            for model in models:
                assert client.models.retrieve(model.id).id == model.id
                answer = client.chat.completions.create(
                    model=model.id, messages=[{"role": "user", "content": "Hello"}], max_tokens=4)
                assert answer.model == model.id and answer.usage.completion_tokens == 4, answer
            try:
                client.models.retrieve("medium")
            except openai.NotFoundError as error:
                assert error.code == "model_not_found", error
            else:
                raise AssertionError("medium is not served")
            try:
                client.chat.completions.create(messages=[{"role": "user", "content": "Hello"}], model="")
            except openai.BadRequestError as error:
                assert "small" in error.body["message"] or "model" in error.body["message"], error.body
            except openai.NotFoundError as error:
                assert error.code == "model_not_found", error
            else:
                raise AssertionError("one of two models must be named")
            calls = [lambda: client.embeddings.create(model="small", input="Hello"),
                     lambda: client.responses.create(model="small", input="Hello"),
                     lambda: client.moderations.create(input="Hello"),
                     lambda: client.images.generate(prompt="A lamp"),
                     lambda: client.files.list()]
            for call in calls:
                try:
                    call()
                except openai.APIStatusError as error:
                    assert error.status_code == 501 and error.code == "unsupported", error
                    assert "/v1/chat/completions" in error.body["message"], error.body
                else:
                    raise AssertionError("that is not served")
            print("all is well")
            """#

        @Test func `Two workers with two models are listed, served and told apart; embeddings and the like answer 501`()
            async throws
        {
            let files = try TemporaryDirectory()
            let cluster = try await Cluster.start()
            let scheduler = cluster.scheduler()
            let workers = try ["small", "acme/large"].map { model in
                let profile = try files.profile(stepMilliseconds: 1, model: model)
                return cluster.worker(String(model.prefix(4)), "--engine", "emulated", "--profile", profile)
            }
            let gateway = try await cluster.gateway()
            try await cluster.endpoints.status("two models") { $0.models.count == 2 && $0.workers.count == 2 }
            let python = try await Python.interpreter()
            let run = try await Run.command(python, ["-c", Self.script, gateway.url])
            #expect(run.code == 0 && run.output.contains("all is well"), "\(run.errors)")
            let metrics = try await HTTP.get("\(gateway.url)/metrics").body
            // Its client did not try again, as it does after other errors of the 500s.
            #expect(
                metrics.contains(#"route="/v1/embeddings",code="501"} 1"#)
                    || metrics.contains(#"code="501",route="/v1/embeddings"} 1"#),
                "\(metrics)"
            )
            withExtendedLifetime((scheduler, workers)) {}
        }
    }
}
