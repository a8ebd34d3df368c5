internal import Foundation
internal import Messages
internal import Testing

extension IntegrationTests {
    /// OpenAI's own Python package, unchanged.
    @Suite struct OpenAIClient {
        private static let script = #"""
            import sys, openai

            client = openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0, timeout=60)
            model = client.models.list().data[0].id
            assert model == "aladdin-tiny", model
            assert client.models.retrieve(model).id == model
            hello = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Tell me a story."}]
            ask = client.chat.completions.create

            whole = ask(model=model, messages=hello, max_tokens=24, temperature=0)
            text = whole.choices[0].message.content
            assert text and whole.choices[0].finish_reason in ("stop", "length"), whole
            assert whole.usage.completion_tokens <= 24, whole.usage
            assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens, whole.usage

            chunks = list(ask(model=model, messages=hello, max_tokens=24, temperature=0, stream=True,
                              stream_options={"include_usage": True}))
            assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text, chunks
            assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens, chunks[-1]
            assert not chunks[-1].choices
            assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == whole.choices[0].finish_reason

            prompt = client.completions.create(model=model, prompt="Once upon a time", max_tokens=8, temperature=0)
            assert prompt.choices[0].text, prompt
            parts = client.completions.create(model=model, prompt="Once upon a time", max_tokens=8, temperature=0, stream=True)
            assert "".join(part.choices[0].text for part in parts) == prompt.choices[0].text

            newer = ask(model=model, messages=hello, max_completion_tokens=4, temperature=0, seed=7, user="me", stop=["zzz"])
            assert newer.usage.completion_tokens <= 4
            parts = [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
            assert ask(model=model, messages=parts, max_tokens=4).choices[0].message.content is not None
            raw = client.chat.completions.with_raw_response.create(
                model=model, messages=hello, max_tokens=4, extra_headers={"x-slo-ttft-ms": "5000", "x-slo-tpot-ms": "900"})
            assert raw.headers["x-aladdin-query-id"] and raw.headers["x-aladdin-worker"], raw.headers

            def refused(kind, code, **changes):
                try:
                    ask(**{"model": model, "messages": hello, "max_tokens": 4, **changes})
                except kind as error:
                    assert type(error) is kind, error
                    assert code is None or error.code == code, (error.code, code)
                    assert error.body["message"], error.body
                    return
                raise AssertionError(f"{changes} was not refused")

            refused(openai.NotFoundError, "model_not_found", model="nobody")
            refused(openai.BadRequestError, "max_tokens_out_of_range", max_tokens=0)
            refused(openai.BadRequestError, "max_tokens_out_of_range", max_tokens=5000)
            refused(openai.BadRequestError, "empty_prompt", messages=[])
            refused(openai.BadRequestError, "prompt_too_long", messages=[{"role": "user", "content": "word " * 3000}])
            refused(openai.BadRequestError, "invalid_sampling", temperature=-1)
            refused(openai.BadRequestError, None, messages=[{"role": "wizard", "content": "Hi"}])
            refused(openai.BadRequestError, None, n=3)
            refused(openai.BadRequestError, "objective_unreachable", extra_headers={"x-slo-ttft-ms": "0.000001"})
            refused(openai.NotFoundError, "model_not_found", model="nobody", stream=True)

            stream = ask(model=model, messages=hello, max_tokens=500, stream=True)
            next(iter(stream))
            stream.close()
            assert ask(model=model, messages=hello, max_tokens=24, temperature=0).choices[0].message.content == text

            import asyncio
            async def many():
                many = openai.AsyncOpenAI(base_url=sys.argv[1] + "/v1", api_key="none", max_retries=0)
                answers = await asyncio.gather(*[
                    many.chat.completions.create(model=model, messages=hello, max_tokens=24, temperature=0) for _ in range(16)])
                assert all(answer.choices[0].message.content == text for answer in answers), answers
            asyncio.run(many())
            print("all is well")
            """#

        @Test func `The official client completes, streams and gets errors of the right classes`() async throws {
            let service = try await Service.up()
            let python = try await Python.interpreter()
            let run = try await Run.command(python, ["-c", Self.script, service.url])
            #expect(run.code == 0 && run.output.contains("all is well"), "\(run.errors)")
            let status = try await service.endpoints.status("nothing running") { $0.model?.running == 0 }
            #expect(status.model?.queued == 0)
        }
    }
}
