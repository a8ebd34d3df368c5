package import ServingModel

/// The metadata keys that the service understands; others are passed on untouched.
package enum MetadataKey {
    package static let timeToFirstToken = "x-slo-ttft-ms"
    package static let averageTokenTime = "x-slo-tpot-ms"
    /// Both objectives by the name of a class.
    package static let objectiveClass = "x-slo-class"
    package static let priority = "x-aladdin-priority"
    package static let tenant = "x-aladdin-tenant"
    package static let outputTokens = "x-aladdin-output-tokens"
    /// The one worker that is to run it, by its number: for measuring a worker.
    package static let worker = "x-aladdin-worker"
    package static let timeout = "x-request-timeout-ms"
    package static let durability = "x-aladdin-durability"
    /// W3C Trace Context.
    package static let traceParent = "traceparent"
    package static let traceState = "tracestate"
    package static let idempotencyKey = "idempotency-key"
}

extension Submission {
    /// Checks what a client asked for and reads its metadata.
    ///
    /// - Parameters:
    ///   - blocks: the hashes of its blocks, where they are known already.
    ///   - metadata: keys in lower case; the last of a repeated key counts.
    ///   - defaults: fills the half of an objective that the client left out.
    /// - Throws: a `Status` with `.invalidArgument` or `.outOfRange` that names the field, its value and what would be right.
    package init(
        model: String,
        input: PromptInput,
        blocks known: [UInt64]? = nil,
        maxTokens: Int,
        sampling: Sampling,
        metadata: [(key: String, value: String)],
        request: OpaqueRequest,
        configuration: BrokerConfiguration
    ) throws(Status) {
        let prompt = try Self.measure(input)
        guard maxTokens >= 1, maxTokens <= configuration.maximumTokens else {
            throw Status(
                .outOfRange,
                .maxTokensOutOfRange,
                "max_tokens is \(maxTokens); it must be from 1 to \(configuration.maximumTokens)"
            )
        }
        guard request.count <= configuration.maximumRequestBytes else {
            throw Status(
                .resourceExhausted,
                .messageTooLarge,
                "the request has \(request.count) bytes; at most \(configuration.maximumRequestBytes) are taken"
            )
        }
        try Self.check(sampling)
        self.init(
            model: model,
            inputTokens: prompt.tokens,
            promptBytes: prompt.bytes,
            maxTokens: maxTokens,
            request: request
        )
        if prompt.bytes >= PromptBlocks.blockBytes { blocks = known ?? PromptBlocks.hashes(of: input) }
        if let (name, objective) = try Self.objectiveClass(metadata, configuration.objectiveClasses) {
            objectiveClass = name
            self.objective = objective
        }
        trace = Self.trace(metadata)
        if case .chat = input { operation = .chat }
        try read(metadata, defaults: configuration.objective)
        // It belongs to one worker's session, which no restart outlives.
        if worker != nil { durability = .volatile }
    }

    private static func measure(_ input: PromptInput) throws(Status) -> (tokens: Int?, bytes: Int) {
        let size: (tokens: Int?, bytes: Int)
        switch input {
        case .text(let text):
            size = (nil, text.utf8.count)
        case .tokens(let ids):
            size = (ids.count, ids.count * 4)
        case .chat(let messages):
            for message in messages where !["system", "user", "assistant"].contains(message.role) {
                throw Status(
                    .invalidArgument,
                    .malformed,
                    "a chat message has a role that is not known; it must be system, user or assistant"
                )
            }
            size = (nil, messages.reduce(0) { $0 + $1.content.utf8.count })
        }
        guard size.bytes > 0 else { throw Status(.invalidArgument, .emptyPrompt, "the prompt is empty") }
        return size
    }

    private static func check(_ sampling: Sampling) throws(Status) {
        guard sampling.temperature >= 0, sampling.temperature <= 100 else {
            throw Status(
                .invalidArgument,
                .invalidSampling,
                "temperature is \(sampling.temperature); it must be a number from 0 to 100"
            )
        }
        guard sampling.topP >= 0, sampling.topP <= 1 else {
            throw Status(
                .invalidArgument,
                .invalidSampling,
                "top_p is \(sampling.topP); it must be a number from 0 to 1"
            )
        }
        guard sampling.topK >= 0 else {
            throw Status(.invalidArgument, .invalidSampling, "top_k is \(sampling.topK); it must not be negative")
        }
        guard sampling.stop.count <= 16, sampling.stop.allSatisfy({ !$0.isEmpty && $0.utf8.count <= 256 }) else {
            throw Status(
                .invalidArgument,
                .invalidSampling,
                "stop must hold at most 16 strings of 1 to 256 bytes"
            )
        }
    }

    private mutating func read(
        _ metadata: [(key: String, value: String)],
        defaults: ServiceLevelObjective
    ) throws(Status) {
        for (key, value) in metadata {
            switch key {
            case MetadataKey.timeToFirstToken:
                objective = objective ?? defaults
                objective?.timeToFirstToken = try Self.objective(key, value)
            case MetadataKey.averageTokenTime:
                objective = objective ?? defaults
                objective?.averageTokenTime = try Self.objective(key, value)
            case MetadataKey.timeout:
                timeout = try Self.milliseconds(key, value, .invalidMetadata)
            case MetadataKey.priority:
                guard let number = Int(value), (-1000...1000).contains(number) else {
                    throw Self.invalid(key, value, "an integer from -1000 to 1000")
                }
                priority = number
            case MetadataKey.outputTokens:
                guard let number = Int(value), number >= 1, number <= 10_000_000 else {
                    throw Self.invalid(key, value, "a positive integer")
                }
                outputTokensHint = number
            case MetadataKey.worker:
                guard let number = UInt64(value), number > 0 else {
                    throw Self.invalid(key, value, "the number of a worker")
                }
                worker = WorkerID(rawValue: number)
            case MetadataKey.tenant:
                guard value.utf8.count <= 64, value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
                    throw Status(
                        .invalidArgument,
                        .invalidMetadata,
                        "\(key) must have at most 64 visible ASCII characters"
                    )
                }
                tenant = value
            default:
                try readDurability(key, value)
            }
        }
    }

    private mutating func readDurability(_ key: String, _ value: String) throws(Status) {
        switch key {
        case MetadataKey.durability:
            guard let level = Durability(rawValue: value) else {
                throw Self.invalid(key, value, "volatile, accept or stream")
            }
            durability = level
        case MetadataKey.idempotencyKey:
            guard (1...Self.idempotencyKeyBytes).contains(value.utf8.count),
                value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
            else {
                throw Status(
                    .invalidArgument,
                    .invalidMetadata,
                    "\(key) must have 1 to \(Self.idempotencyKeyBytes) visible ASCII characters"
                )
            }
            idempotencyKey = value
        default:
            break
        }
    }

    private static let idempotencyKeyBytes = 128

    /// The objective of the class that a query names, wherever among its metadata; its own numbers go before it.
    private static func objectiveClass(
        _ metadata: [(key: String, value: String)],
        _ classes: [String: ServiceLevelObjective]
    ) throws(Status) -> (name: String, objective: ServiceLevelObjective)? {
        guard let name = metadata.last(where: { $0.key == MetadataKey.objectiveClass })?.value else { return nil }
        guard let objective = classes[name] else {
            let known =
                classes.isEmpty
                ? "left out: this service has no classes" : classes.keys.sorted().joined(separator: " or ")
            throw Status(
                .invalidArgument,
                .invalidObjective,
                "\(MetadataKey.objectiveClass) is \(shown(name)); it must be \(known)"
            )
        }
        return (name, objective)
    }

    /// A context that is malformed is ignored, as W3C's recommendation has it.
    private static func trace(_ metadata: [(key: String, value: String)]) -> TraceContext? {
        guard let parent = metadata.last(where: { $0.key == MetadataKey.traceParent })?.value else { return nil }
        let state = metadata.last { $0.key == MetadataKey.traceState }?.value
        return TraceContext(traceparent: parent, tracestate: state ?? "")
    }

    private static func objective(_ key: String, _ value: String) throws(Status) -> Interval {
        try milliseconds(key, value, .invalidObjective)
    }

    private static func milliseconds(_ key: String, _ value: String, _ reason: Reason) throws(Status) -> Interval {
        guard let number = Double(value), let interval = Interval(validatingMilliseconds: number),
            interval > .zero
        else {
            throw Status(
                .invalidArgument,
                reason,
                "\(key) is \(shown(value)); it must be a positive number of milliseconds"
            )
        }
        return interval
    }

    private static func invalid(_ key: String, _ value: String, _ expected: String) -> Status {
        Status(.invalidArgument, .invalidMetadata, "\(key) is \(shown(value)); it must be \(expected)")
    }

    /// A value from outside, fit for a message.
    private static func shown(_ value: String) -> String {
        let short = value.unicodeScalars.prefix(32).filter { $0.value >= 0x20 && $0.value < 0x7F }
        return "'\(String(String.UnicodeScalarView(short)))'"
    }
}
