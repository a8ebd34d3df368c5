import EngineInterface
import ServingModel
import Testing

@testable import UpstreamEngine

@Suite("What servers say of themselves")
struct ServerAccountTests {
    private func configuration() throws -> UpstreamConfiguration {
        try #require(UpstreamConfiguration(url: "http://127.0.0.1:8000"))
    }

    private func account(_ models: String, wanted: String? = nil) throws -> ServerAccount {
        try ServerAccount(models: Array(models.utf8), wanted: wanted)
    }

    @Test("vLLM: context from the list, memory from the metrics, once for each engine")
    func vllm() throws {
        var account = try account(
            #"{"data":[{"id":"meta-llama/Llama-3.1-8B-Instruct","object":"model","owned_by":"vllm","root":"x","max_model_len":131072}]}"#
        )
        account.take(
            PrometheusSamples(
                Array(
                    """
                    # HELP vllm:cache_config_info Information of the LLMEngine CacheConfig
                    # TYPE vllm:cache_config_info gauge
                    vllm:cache_config_info{block_size="16",cache_dtype="auto",engine="0",num_gpu_blocks="27000",sliding_window="None"} 1.0
                    vllm:cache_config_info{block_size="16",engine="1",num_gpu_blocks="27000"} 1.0
                    """.utf8
                )
            )
        )
        let description = account.description(try configuration())
        #expect(description.model == "meta-llama/Llama-3.1-8B-Instruct" && description.kind == "upstream")
        #expect(description.contextLength == 131_072 && !description.resumesPrefix)
        #expect(description.profile.kvCache.capacityTokens == 864_000 && description.profile.kvCache.blockTokens == 16)
        #expect(description.profile.limits.maximumSequences == 256)
        #expect(description.profile.problems().isEmpty)
        #expect(account.assumptions(try configuration()).count == 1)
    }

    @Test("vLLM may not know its blocks yet", arguments: ["None", "", "-3", "1e9", "99999999999999999999"])
    func blocksUnknown(blocks: String) throws {
        var account = try account(#"{"data":[{"id":"m","owned_by":"vllm","max_model_len":2000}]}"#)
        account.take(
            PrometheusSamples(Array(#"vllm:cache_config_info{block_size="16",num_gpu_blocks="\#(blocks)"} 1"#.utf8))
        )
        let description = account.description(try configuration())
        #expect(description.profile.kvCache.capacityTokens == 16_000)
        #expect(description.profile.problems().isEmpty)
    }

    @Test("llama.cpp: slots and the context of each from its properties")
    func llamaCpp() throws {
        var account = try account(
            #"{"models":[{"name":"tiny"}],"data":[{"id":"tiny","owned_by":"llamacpp","meta":{"n_ctx":1024,"n_ctx_train":2048}}]}"#
        )
        #expect(account.contextLength == 1024)
        account.take(properties: Array(#"{"default_generation_settings":{"n_ctx":512},"total_slots":4}"#.utf8))
        let description = account.description(try configuration())
        #expect(description.contextLength == 512 && description.profile.kvCache.capacityTokens == 2048)
        #expect(description.profile.limits.maximumSequences == 4)
        #expect(account.assumptions(try configuration()).isEmpty)
    }

    @Test("Flags are believed before the server, the server before the profile")
    func precedence() throws {
        var configuration = try configuration()
        var profile = LatencyProfile(model: "p", device: "d")
        profile.kvCache.capacityTokens = 5000
        profile.limits.maximumSequences = 7
        profile.decode.c3Milliseconds = 42
        configuration.profile = profile
        let account = try account(#"{"data":[{"id":"m","owned_by":"somebody"}]}"#)
        #expect(account.description(configuration).profile.limits.maximumSequences == 7)
        #expect(account.description(configuration).contextLength == 5000)
        #expect(account.description(configuration).profile.decode.c3Milliseconds == 42)
        configuration.maximumSequences = 3
        configuration.contextLength = 100
        configuration.kvCapacityTokens = 9
        configuration.servedName = "alias"
        let description = account.description(configuration)
        #expect(description.profile.limits.maximumSequences == 3 && description.contextLength == 100)
        #expect(description.profile.kvCache.capacityTokens == 9 && description.model == "alias")
        #expect(description.profile.problems().isEmpty)
    }

    @Test("Of several models the wanted one is served, and none other in its place")
    func choice() throws {
        let models = #"{"data":[{"id":"a"},{"id":"b"}]}"#
        #expect(try account(models).model == "a")
        #expect(try account(models, wanted: "b").model == "b")
        #expect(throws: Status(.unavailable, .unknownModel, "it serves 'a', 'b', not 'c'")) {
            _ = try account(models, wanted: "c")
        }
        for list in ["", "{}", "[]", #"{"data":[]}"#, #"{"data":[{"id":""}]}"#, #"{"data":[{}]}"#, "<html>"] {
            #expect(throws: Status.self) { _ = try account(list) }
        }
    }

    @Test("Load by anybody's names; what is no number is not said")
    func load() {
        func load(_ text: String) -> EngineLoad {
            ServerAccount.load(PrometheusSamples(Array(text.utf8)), kvCapacityTokens: 1000)
        }
        #expect(
            load("vllm:num_requests_waiting 2\nvllm:kv_cache_usage_perc 0.5")
                == EngineLoad(waiting: 2, usedKVTokens: 500)
        )
        #expect(load("vllm:gpu_cache_usage_perc{engine=\"0\"} 0.25\n") == EngineLoad(usedKVTokens: 250))
        #expect(
            load("sglang:num_queue_reqs{tp_rank=\"0\"} 4.0\nsglang:token_usage 0.1")
                == EngineLoad(waiting: 4, usedKVTokens: 100)
        )
        #expect(load("llamacpp:requests_deferred 1\n").waiting == 1)
        #expect(load("vllm:num_requests_waiting NaN\nvllm:kv_cache_usage_perc +Inf") == EngineLoad())
        #expect(load("vllm:kv_cache_usage_perc 50") == EngineLoad(usedKVTokens: 1000))
        #expect(load("") == EngineLoad())
    }

    @Test("Odd lines cost only themselves, labels may hold anything")
    func metricsText() {
        let text = #"""
            # HELP a b
            broken{
            broken{x="1"
            broken{x=1} 2
            broken{x="\
            no_value
            a 1 1395066363000
            b{path="C:\\dir \"q\" {}, \n", y = "2" ,} 3.5
              c	7e2

            """#
        let samples = PrometheusSamples(Array(text.utf8))
        #expect(samples.sum("a") == 1 && samples.sum("c") == 700)
        #expect(samples.all("b") == [.init(labels: ["path": "C:\\dir \"q\" {}, \n", "y": "2"], value: 3.5)])
        #expect(samples.sum("broken") == nil && samples.sum("no_value") == nil)
        var random = SeededGenerator(seed: 9)
        let alphabet = Array("ab{}=\",\\ 1.\n\t#".utf8)
        for _ in 0..<3000 {
            _ = PrometheusSamples((0..<40).map { _ in alphabet.randomElement(using: &random) ?? 0 })
        }
    }

    @Test(
        "Addresses as people write them",
        arguments: [
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"), ("http://h:1/", "http://h:1"),
            ("http://h/v1", "http://h"),
            ("https://h/proxy/v1/", "https://h/proxy"), ("HTTP://H", "HTTP://H"),
            ("http://[::1]:8000", "http://[::1]:8000"),
            ("localhost:8000", nil), ("ftp://h", nil), ("http://", nil), ("http:///v1", nil), ("http://u:p@h", nil),
            ("http://h?x=1", nil), ("http://h h", nil), ("http://h\n", nil), ("", nil), ("http://:80", nil),
        ]
    )
    func addresses(given: String, expected: String?) {
        #expect(UpstreamConfiguration(url: given)?.url == expected)
    }
}
