import Brokering
import ServingModel
import Testing

@Suite("Checking what a client asks for")
struct SubmissionTests {
    private func make(
        input: PromptInput = .text("hello"),
        maxTokens: Int = 8,
        sampling: Sampling = Sampling(),
        metadata: [(key: String, value: String)] = [],
        request: OpaqueRequest = [1],
        configuration: BrokerConfiguration = BrokerConfiguration()
    ) throws -> Submission {
        try Submission(
            model: "m",
            input: input,
            maxTokens: maxTokens,
            sampling: sampling,
            metadata: metadata,
            request: request,
            configuration: configuration
        )
    }

    @Test("A full request is read whole")
    func reads() throws {
        let submission = try make(
            input: .tokens([1, 2, 3]),
            metadata: [
                ("x-slo-ttft-ms", "250.5"), ("x-slo-tpot-ms", "20"), ("x-aladdin-priority", "-7"),
                ("x-aladdin-tenant", "blue"), ("x-aladdin-output-tokens", "64"), ("x-request-timeout-ms", "1500"),
                ("anything-else", "\u{7}"),
            ]
        )
        #expect(submission.inputTokens == 3)
        #expect(submission.promptBytes == 12)
        #expect(submission.objective?.timeToFirstToken == Interval(nanoseconds: 250_500_000))
        #expect(submission.objective?.averageTokenTime == .milliseconds(20))
        #expect(submission.priority == -7)
        #expect(submission.tenant == "blue")
        #expect(submission.outputTokensHint == 64)
        #expect(submission.timeout == .milliseconds(1500))
    }

    @Test("Half an objective is filled from the defaults, none stays none, the last of a repeated key counts")
    func fillsObjective() throws {
        #expect(try make().objective == nil)
        let half = try make(metadata: [("x-slo-tpot-ms", "20"), ("x-slo-tpot-ms", "30")])
        #expect(half.objective?.averageTokenTime == .milliseconds(30))
        #expect(half.objective?.timeToFirstToken == ServiceLevelObjective.standard.timeToFirstToken)
    }

    @Test("A class stands for both objectives, and numbers of the query's own go before it, wherever they stand")
    func takesClass() throws {
        var configuration = BrokerConfiguration()
        configuration.objectiveClasses["batch"] = .init(timeToFirstToken: .seconds(60), averageTokenTime: .seconds(1))
        let plain = try make(metadata: [("x-slo-class", "batch")], configuration: configuration)
        #expect(plain.objective == configuration.objectiveClasses["batch"])
        let mixed = try make(
            metadata: [("x-slo-ttft-ms", "250"), ("x-slo-class", "batch")],
            configuration: configuration
        )
        #expect(mixed.objective == .init(timeToFirstToken: .milliseconds(250), averageTokenTime: .seconds(1)))
        let unknown = try refusal {
            _ = try make(metadata: [("x-slo-class", "bach")], configuration: configuration)
        }
        #expect(unknown.reason == .invalidObjective)
        #expect(unknown.message == "x-slo-class is 'bach'; it must be batch")
        let none = try refusal { _ = try make(metadata: [("x-slo-class", "batch")]) }
        #expect(none.message.hasSuffix("it must be left out: this service has no classes"))
    }

    @Test(
        "Empty prompts and unknown roles are refused",
        arguments: [
            (PromptInput.text(""), Reason.emptyPrompt), (.tokens([]), .emptyPrompt), (.chat([]), .emptyPrompt),
            (.chat([ChatMessage(role: "user", content: "")]), .emptyPrompt),
            (.chat([ChatMessage(role: "tool", content: "x")]), .malformed),
        ]
    )
    func refusesPrompt(input: PromptInput, reason: Reason) throws {
        let status = try refusal { _ = try make(input: input) }
        #expect(status.code == .invalidArgument)
        #expect(status.reason == reason)
    }

    @Test("max_tokens lies between 1 and the limit", arguments: [Int.min, -1, 0, 131_073, .max])
    func refusesMaxTokens(maxTokens: Int) throws {
        let status = try refusal { _ = try make(maxTokens: maxTokens) }
        #expect(status.reason == .maxTokensOutOfRange)
        #expect(try make(maxTokens: 131_072).maxTokens == 131_072)
    }

    @Test("A request beyond the limit of bytes is refused")
    func refusesBytes() throws {
        var configuration = BrokerConfiguration()
        configuration.maximumRequestBytes = 2
        #expect(try make(request: [1, 2], configuration: configuration).request == [1, 2])
        let status = try refusal { _ = try make(request: [1, 2, 3], configuration: configuration) }
        #expect(status.reason == .messageTooLarge)
    }

    @Test(
        "Objectives and timeouts that are no positive number are refused",
        arguments: ["x-slo-ttft-ms", "x-slo-tpot-ms", "x-request-timeout-ms"],
        ["nan", "inf", "-inf", "-1", "0", "1e-9", "1e13", "", " 5", "5ms", "five", "\u{0}"]
    )
    func refusesTimes(key: String, value: String) throws {
        let status = try refusal { _ = try make(metadata: [(key, value)]) }
        #expect(status.code == .invalidArgument)
        #expect(status.reason == (key.hasPrefix("x-slo") ? .invalidObjective : .invalidMetadata))
        #expect(status.message.contains(key))
    }

    @Test(
        "Other metadata out of range is refused",
        arguments: [
            ("x-aladdin-priority", "1001"), ("x-aladdin-priority", "-1001"), ("x-aladdin-priority", "high"),
            ("x-aladdin-priority", "-9223372036854775808"), ("x-aladdin-priority", "9223372036854775808"),
            ("x-aladdin-output-tokens", "0"), ("x-aladdin-output-tokens", "10000001"),
            ("x-aladdin-output-tokens", "1.5"), ("x-aladdin-tenant", "two words"), ("x-aladdin-tenant", "é"),
            ("x-aladdin-tenant", String(repeating: "t", count: 65)),
        ]
    )
    func refusesMetadata(key: String, value: String) throws {
        let status = try refusal { _ = try make(metadata: [(key, value)]) }
        #expect(status.code == .invalidArgument)
        #expect(status.reason == .invalidMetadata)
    }

    @Test(
        "Sampling out of range is refused",
        arguments: [
            Sampling(temperature: -0.1), Sampling(temperature: .nan), Sampling(temperature: .infinity),
            Sampling(temperature: 100.5), Sampling(topP: -0.1), Sampling(topP: 1.1), Sampling(topP: .nan),
            Sampling(topK: -1), Sampling(stop: [""]), Sampling(stop: [String](repeating: "x", count: 17)),
            Sampling(stop: [String(repeating: "x", count: 257)]),
        ]
    )
    func refusesSampling(sampling: Sampling) throws {
        let status = try refusal { _ = try make(sampling: sampling) }
        #expect(status.reason == .invalidSampling)
    }
}
