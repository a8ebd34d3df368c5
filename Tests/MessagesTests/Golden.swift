import Messages
import ServingModel
import Testing

/// Both directions: our encoding is the golden one, and the golden one decodes to our value.
func expectGolden<Message: WireMessage & Equatable>(
    _ message: Message,
    is hexadecimal: String,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let golden = try bytes(hexadecimal: hexadecimal)
    #expect(message.encode() == golden, sourceLocation: sourceLocation)
    #expect(try Message.decode(golden) == message, sourceLocation: sourceLocation)
}

func bytes(hexadecimal: String) throws -> [UInt8] {
    let digits = Array(hexadecimal.filter { !$0.isWhitespace })
    return try stride(from: 0, to: digits.count, by: 2).map { index in
        try #require(UInt8(String(digits[index...index + 1]), radix: 16))
    }
}

/// The profile of the golden registration.
let goldenProfile: LatencyProfile = {
    var profile = LatencyProfile(model: "tiny", device: "cpu", mixedConstantMilliseconds: 0)
    profile.prefill.c0Milliseconds = 1.5
    profile.prefill.c1Milliseconds = 0.25
    profile.prefill.k1Milliseconds = 0.125
    profile.prefill.k1qMilliseconds = 1e-5
    profile.prefill.kneeTokens = 512
    profile.prefill.k1AboveKneeMilliseconds = 0.5
    profile.decode.c3Milliseconds = 4
    profile.decode.k2Milliseconds = 0.001
    profile.decode.c2Milliseconds = 0.0625
    profile.decode.kneeSequences = 8
    profile.decode.c2AboveKneeMilliseconds = 0.03
    profile.kvCache.capacityTokens = 65_536
    profile.kvCache.bytesPerToken = 131_072
    return profile
}()
