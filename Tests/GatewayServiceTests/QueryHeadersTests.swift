internal import HTTPTypes
internal import Testing

@testable internal import GatewayService

@Suite("Reading a request's headers")
struct QueryHeadersTests {
    private func metadata(_ headers: [(String, String)]) throws -> [String] {
        var fields = HTTPFields()
        for (name, value) in headers {
            fields.append(HTTPField(name: try #require(HTTPField.Name(name)), value: value))
        }
        return try QueryHeaders.metadata(from: fields).map { "\($0.key)=\($0.value)" }
    }

    @Test("All known headers become metadata, in canonical form")
    func all() throws {
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let metadata = try metadata([
            ("X-SLO-TTFT-ms", " 1500.0 "), ("x-slo-tpot-ms", "0.5"), ("x-aladdin-priority", "-3"),
            ("x-aladdin-tenant", "acme corp"), ("x-aladdin-output-tokens", "+40"), ("idempotency-key", "k-1"),
            ("x-request-timeout-ms", "3e4"), ("traceparent", parent), ("x-other", "1"),
        ])
        #expect(
            metadata == [
                "x-slo-ttft-ms=1500", "x-slo-tpot-ms=0.5", "x-aladdin-priority=-3", "x-aladdin-tenant=acme corp",
                "x-aladdin-output-tokens=40", "idempotency-key=k-1", "x-request-timeout-ms=30000",
                "traceparent=\(parent)",
            ]
        )
    }

    @Test("llm-d's names mean the same; our own win")
    func otherNames() throws {
        let both = try metadata([("x-llm-d-slo-ttft-ms", "7"), ("x-llm-d-slo-tpot-ms", "8")])
        #expect(both == ["x-slo-ttft-ms=7", "x-slo-tpot-ms=8"])
        #expect(try metadata([("x-llm-d-slo-ttft-ms", "7"), ("x-slo-ttft-ms", "9")]) == ["x-slo-ttft-ms=9"])
    }

    @Test(
        "A value out of range is refused by the header's name",
        arguments: [
            ("x-slo-ttft-ms", "0"), ("x-slo-ttft-ms", "-1"), ("x-slo-ttft-ms", "nan"), ("x-slo-ttft-ms", "inf"),
            ("x-slo-ttft-ms", "1e13"), ("x-slo-ttft-ms", "0x10"), ("x-slo-ttft-ms", "fast"), ("x-slo-ttft-ms", ""),
            ("x-slo-tpot-ms", "1e999"), ("x-llm-d-slo-ttft-ms", "x"), ("x-llm-d-slo-tpot-ms", "1,5"),
            ("x-aladdin-priority", "1.5"), ("x-aladdin-priority", "3000000000"), ("x-aladdin-tenant", ""),
            ("x-aladdin-tenant", String(repeating: "a", count: 129)), ("x-aladdin-tenant", "caf\u{E9}"),
            ("x-aladdin-output-tokens", "0"), ("x-aladdin-output-tokens", "many"),
            ("idempotency-key", String(repeating: "k", count: 256)), ("x-request-timeout-ms", "0"),
        ]
    )
    func invalid(header: String, value: String) throws {
        let error = #expect(throws: APIError.self) { try metadata([(header, value)]) }
        #expect(error?.status == 400)
        #expect(error?.param == header)
        #expect(error?.code == (header.contains("-slo-") ? "invalid_objective" : "invalid_metadata"))
        #expect(error?.message.contains(header) == true)
    }

    @Test("A header that comes twice is refused where one number is expected")
    func twice() {
        #expect(throws: APIError.self) { try metadata([("x-slo-ttft-ms", "1"), ("x-slo-ttft-ms", "2")]) }
    }

    @Test(
        "A broken trace context is left out, as W3C asks",
        arguments: ["", "00", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "zz-a-b-c"]
    )
    func brokenTrace(value: String) throws {
        #expect(try metadata([("traceparent", value)]).isEmpty)
    }
}
