internal import Foundation
internal import Testing

@testable internal import GatewayService

@Suite("Bodies read in one pass")
struct UsualBodyTests {
    private static let usual = [
        #"{"model":"m","messages":[{"role":"user","content":"Hi \"you\"\n\u00e9"}],"max_tokens":5,"temperature":0.5}"#,
        #"{"messages":[{"role":"system","content":"a"},{"content":"b","role":"assistant","name":"x"}],"stream":true}"#,
        #"{"prompt":"a","top_p":0.25,"top_k":-1,"seed":-3,"n":1,"stream":true,"stream_options":{"include_usage":true}}"#,
        #" { "prompt" : "a" , "stream_options" : null , "max_tokens" : null , "unheard_of" : [ { "x" : [ 1e999 ] } ] } "#,
        #"{"prompt":"a","stream":false,"stream_options":{},"max_tokens":3.0,"user":"u"}"#,
        #"{"pro\u006dpt":"a","model":null,"messages":[]}"#,
    ]

    @Test("A usual body says the same to both readers", arguments: usual)
    func same(text: String) throws {
        let quick = try #require(GenerationBody(usual: Array(text.utf8)))
        let slow = try JSONDecoder().decode(GenerationBody.self, from: Data(text.utf8))
        #expect(String(describing: quick) == String(describing: slow))
    }

    @Test(
        "Whatever else there is is left to the decoder",
        arguments: [
            "", "[]", "null", "{", #"{"prompt":"a"}x"#, #"{"prompt":["a"]}"#, #"{"prompt":[1]}"#, #"{"prompt":1}"#,
            #"{"prompt":"a","prompt":"b"}"#, #"{"prompt":"a","max_tokens":1,"max_completion_tokens":2}"#,
            #"{"prompt":"a","max_tokens":1.5}"#, #"{"prompt":"a","temperature":"hot"}"#, #"{"prompt":"a","n":2}"#,
            #"{"prompt":"a","stop":"x"}"#, #"{"prompt":"a","tools":[]}"#, #"{"prompt":"a","logprobs":true}"#,
            #"{"prompt":"a","seed":18446744073709551615}"#, #"{"prompt":"a","stream":1}"#,
            #"{"messages":[{"role":"tool","content":"x"}]}"#, #"{"messages":[{"role":"user","content":null}]}"#,
            #"{"messages":[{"role":"user","content":[{"type":"text","text":"x"}]}]}"#, #"{"messages":["x"]}"#,
            #"{"messages":[{"role":"user","content":"x","tool_calls":null}]}"#, #"{"messages":[null]}"#,
        ]
    )
    func unusual(text: String) {
        #expect(GenerationBody(usual: Array(text.utf8)) == nil)
    }
}
