import Foundation
import ServingModel
import Testing

@Suite("The file form of a latency profile")
struct LatencyProfileJSONTests {
    private func decode(_ text: String) throws -> LatencyProfile {
        try JSONDecoder().decode(LatencyProfile.self, from: Data(text.utf8))
    }

    private func value(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    private func problems(_ text: String) -> [String] {
        do {
            _ = try decode(text)
            return []
        } catch let error as ProfileError {
            return error.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    private static let complete = """
        {"model":"llama2-70b","device":"A100-80GB","gpus":4,
         "prefill":{"c0_ms":1,"c1_ms":31.8,"k1_ms":0.2745,"k1q_ms":2e-6,"knee_tokens":800,"k1_above_knee_ms":-0.1},
         "decode":{"c3_ms":43.5,"k2_ms":0.00042,"c2_ms":0.174,"knee_sequences":32,"c2_above_knee_ms":0.2},
         "mixed":{"c_mix_ms":43.25},
         "kv":{"capacity_tokens":427000,"block_tokens":32,"watermark":0.02,"bytes_per_token":327680},
         "limits":{"max_sequences":128,"max_batched_tokens":4096,"chunk_tokens":512}}
        """

    @Test("Every field of the file form is read")
    func readsEveryField() throws {
        let profile = try decode(Self.complete)
        #expect(profile.model == "llama2-70b")
        #expect(profile.device == "A100-80GB")
        #expect(profile.gpus == 4)
        var prefill = LatencyProfile.Prefill()
        prefill.c0Milliseconds = 1
        prefill.c1Milliseconds = 31.8
        prefill.k1Milliseconds = 0.2745
        prefill.k1qMilliseconds = 2e-6
        prefill.kneeTokens = 800
        prefill.k1AboveKneeMilliseconds = -0.1
        #expect(profile.prefill == prefill)
        var decode = LatencyProfile.Decode()
        decode.c3Milliseconds = 43.5
        decode.k2Milliseconds = 0.00042
        decode.c2Milliseconds = 0.174
        decode.kneeSequences = 32
        decode.c2AboveKneeMilliseconds = 0.2
        #expect(profile.decode == decode)
        #expect(profile.mixedConstantMilliseconds == 43.25)
        #expect(profile.kvCache.capacityTokens == 427_000)
        #expect(profile.kvCache.blockTokens == 32)
        #expect(profile.kvCache.watermark == 0.02)
        #expect(profile.kvCache.bytesPerToken == 327_680)
        #expect(profile.limits.maximumSequences == 128)
        #expect(profile.limits.maximumBatchedTokens == 4096)
        #expect(profile.limits.chunkTokens == 512)
        #expect(profile.extras.isEmpty)
    }

    @Test("Experts are read and written where there are any, and stay unwritten for a dense model")
    func experts() throws {
        let dense = try decode(Self.complete)
        #expect(dense.decode.expertMilliseconds == 0)
        #expect(dense.json.members?["decode"]?.members?["expert_ms"] == nil)
        let text = Self.complete.replacing(
            "\"c3_ms\":43.5",
            with: "\"c3_ms\":43.5,\"expert_ms\":30.5,\"expert_share\":0.0625"
        )
        let profile = try decode(text)
        #expect(profile.decode.expertMilliseconds == 30.5)
        #expect(profile.decode.expertShare == 0.0625)
        #expect(profile.json.members?["decode"]?.members?["expert_ms"] == .number(30.5))
        #expect(try LatencyProfile(json: profile.json) == profile)
    }

    @Test("What is written is what was read, and reads back as the same profile")
    func roundTrip() throws {
        let profile = try decode(Self.complete)
        let written = try JSONEncoder().encode(profile)
        #expect(try JSONDecoder().decode(LatencyProfile.self, from: written) == profile)
        #expect(try JSONDecoder().decode(JSONValue.self, from: written) == value(Self.complete))
    }

    @Test("Absent terms are 0 or their default")
    func defaults() throws {
        let text = #"{"model":"m","device":"d","gpus":1,"prefill":{},"decode":{},"kv":{"capacity_tokens":4e4}}"#
        var expected = LatencyProfile(model: "m", device: "d")
        expected.kvCache.capacityTokens = 40_000
        #expect(try decode(text) == expected)
    }

    @Test("Extra keys survive a round trip at every depth, and null is as good as absent")
    func extras() throws {
        let text = """
            {"model":"m","device":"d","gpus":1,"note":"fitted","points":[1,2.5,null,true,{"a":9007199254740993}],
             "prefill":{"k1_ms":0.5,"r2":0.99},"decode":{"c3_ms":null},"kv":{"capacity_tokens":160,"dtype":"fp8"},
             "source":{"url":"x","page":3}}
            """
        let profile = try decode(text)
        #expect(profile.extras["note"] == .string("fitted"))
        #expect(profile.extras["prefill"] == .object(["r2": .number(0.99)]))
        #expect(profile.extras["decode"] == nil)
        let written = try JSONEncoder().encode(profile)
        #expect(try JSONDecoder().decode(LatencyProfile.self, from: written) == profile)
        let members = try #require(JSONDecoder().decode(JSONValue.self, from: written).members)
        let points: [JSONValue] = [
            .integer(1), .number(2.5), .null, .bool(true), .object(["a": .integer(9_007_199_254_740_993)]),
        ]
        #expect(members["points"] == .array(points))
        #expect(members["kv"]?.members?["dtype"] == .string("fp8"))
        #expect(members["source"] == .object(["url": .string("x"), "page": .integer(3)]))
    }

    @Test("A missing required field is named", arguments: ["model", "device", "gpus", "prefill", "decode", "kv"])
    func missing(field: String) throws {
        var members = try #require(value(Self.complete).members)
        members[field] = nil
        let text = String(decoding: try JSONEncoder().encode(JSONValue.object(members)), as: UTF8.self)
        let expected = [
            "kv": "kv.capacity_tokens is missing; it must be a whole number",
            "gpus": "gpus is missing; it must be a whole number",
            "model": "model is missing; it must be a text",
            "device": "device is missing; it must be a text",
        ]
        #expect(problems(text) == [expected[field] ?? "\(field) is missing; it must be an object"])
    }

    @Test("Every field of a wrong type is named with what was found")
    func wrongTypes() {
        let text = """
            {"model":7,"device":"d","gpus":1.5,"prefill":[],"decode":{"c3_ms":"fast"},"kv":{"capacity_tokens":true}}
            """
        #expect(
            problems(text) == [
                "model is 7; it must be a text",
                "gpus is 1.5; it must be a whole number",
                "prefill is an array; it must be an object",
                "decode.c3_ms is the text \"fast\"; it must be a number",
                "kv.capacity_tokens is true; it must be a whole number",
            ]
        )
        #expect(problems("[1]").first == "the profile is an array; it must be a JSON object")
    }

    @Test("The reference profiles are valid", arguments: ["p8", "p13", "p70", "p70h"])
    func referenceProfiles(name: String) throws {
        let folder = try #require(Bundle.module.resourceURL)
        let file = folder.appending(components: "Profiles", "\(name).json")
        let profile = try JSONDecoder().decode(LatencyProfile.self, from: Data(contentsOf: file))
        try profile.validate()
        #expect(profile.extras.isEmpty)
    }
}
