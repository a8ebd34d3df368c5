import ServingModel
import Testing

@Suite("A request that nobody looks into")
struct OpaqueRequestTests {
    private struct Words: EncodableRequest {
        var text: String

        var encodedByteCount: Int { text.utf8.count }

        func encode() -> [UInt8] { Array(text.utf8) }
    }

    private struct Other: EncodableRequest {
        var encodedByteCount: Int { 0 }

        func encode() -> [UInt8] { [] }
    }

    @Test("Bytes stay what they are")
    func bytes() {
        let request = OpaqueRequest([1, 2, 3])
        #expect(request.bytes == [1, 2, 3] && request.count == 3 && !request.isEmpty)
        #expect(request.value(as: Words.self) == nil)
        #expect(([] as OpaqueRequest).isEmpty)
    }

    @Test("A value can be had again, and its bytes")
    func value() {
        let request = OpaqueRequest(Words(text: "abc"))
        #expect(request.value(as: Words.self)?.text == "abc")
        #expect(request.value(as: Other.self) == nil)
        #expect(request.count == 3 && request.bytes == Array("abc".utf8))
    }

    @Test("What says the same is the same")
    func equality() {
        let value = OpaqueRequest(Words(text: "abc"))
        #expect(value == OpaqueRequest(Array("abc".utf8)) && value == OpaqueRequest(Words(text: "abc")))
        #expect(value != OpaqueRequest(Words(text: "abd")))
        #expect(value.hashValue == OpaqueRequest(Array("abc".utf8)).hashValue)
    }

    @Test("It takes no more room in a record than a list of bytes")
    func size() {
        #expect(MemoryLayout<OpaqueRequest>.stride == MemoryLayout<[UInt8]>.stride)
    }
}
