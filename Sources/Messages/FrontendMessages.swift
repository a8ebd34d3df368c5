package import ServingModel

/// What a client asks for, as it is on the wire: nothing is checked yet but its form.
package struct GenerateRequest: Hashable, Sendable {
    package var model: String
    package var input: PromptInput
    package var maxTokens: Int
    package var sampling: Sampling
    /// In the order sent; keys may repeat.
    package var metadata: [MetadataEntry]

    package init(
        model: String = "",
        input: PromptInput,
        maxTokens: Int,
        sampling: Sampling = Sampling(),
        metadata: [MetadataEntry] = []
    ) {
        self.model = model
        self.input = input
        self.maxTokens = maxTokens
        self.sampling = sampling
        self.metadata = metadata
    }
}

/// A key in lower case and its value.
package struct MetadataEntry: Hashable, Sendable {
    package var key: String
    package var value: String

    package init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }
}

/// What a client hears of its query, in order.
package enum GenerateEvent: Hashable, Sendable {
    case accepted(AcceptedEvent)
    case started(StartedEvent)
    case tokens(TokensEvent)
    /// Forget tokens from this index on.
    case reset(firstIndex: Int)
    case finished(FinishedEvent)
}

package struct AcceptedEvent: Hashable, Sendable {
    package var queryID: String
    package var durability: Durability
    /// Its idempotency key was used before: this is that query.
    package var isDuplicate: Bool

    package init(queryID: String, durability: Durability = .volatile, isDuplicate: Bool = false) {
        self.queryID = queryID
        self.durability = durability
        self.isDuplicate = isDuplicate
    }
}

package struct StartedEvent: Hashable, Sendable {
    package var worker: String
    package var attempt: Int
    /// Arrival to first token; zero if nothing was predicted.
    package var predictedTimeToFirstToken: Interval

    package init(worker: String, attempt: Int, predictedTimeToFirstToken: Interval) {
        self.worker = worker
        self.attempt = attempt
        self.predictedTimeToFirstToken = predictedTimeToFirstToken
    }
}

package struct TokensEvent: Hashable, Sendable {
    package var firstIndex: Int
    package var count: Int
    /// One per token, or empty where the engine doesn't know them.
    package var ids: [Int32]
    package var text: String

    package init(firstIndex: Int, count: Int, ids: [Int32], text: String) {
        self.firstIndex = firstIndex
        self.count = count
        self.ids = ids
        self.text = text
    }
}

package struct FinishedEvent: Hashable, Sendable {
    package var reason: FinishReason
    package var inputTokens: Int
    package var outputTokens: Int

    package init(reason: FinishReason, inputTokens: Int, outputTokens: Int) {
        self.reason = reason
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}

package struct AttachRequest: Hashable, Sendable {
    package var queryID: String
    package var firstIndex: Int
    /// The latest attempt that the reader has heard of; 0 for none.
    package var seenAttempt: Int
    /// On whose account; empty for that of the key.
    package var tenant: String

    package init(queryID: String, firstIndex: Int = 0, seenAttempt: Int = 0, tenant: String = "") {
        self.queryID = queryID
        self.firstIndex = firstIndex
        self.seenAttempt = seenAttempt
        self.tenant = tenant
    }
}

package struct CancelRequest: Hashable, Sendable {
    package var queryID: String
    /// On whose account; empty for that of the key.
    package var tenant: String

    package init(queryID: String, tenant: String = "") {
        self.queryID = queryID
        self.tenant = tenant
    }
}

package struct AcknowledgeRequest: Hashable, Sendable {
    package var queryID: String
    /// On whose account; empty for that of the key.
    package var tenant: String

    package init(queryID: String, tenant: String = "") {
        self.queryID = queryID
        self.tenant = tenant
    }
}

package struct ModelEntry: Hashable, Sendable {
    package var name: String
    package var workers: Int
    package var contextLength: Int
    package var engine: String

    package init(name: String, workers: Int, contextLength: Int, engine: String) {
        self.name = name
        self.workers = workers
        self.contextLength = contextLength
        self.engine = engine
    }
}

/// The answer to `ListModels`.
package struct ModelList: Hashable, Sendable {
    package var models: [ModelEntry]

    package init(models: [ModelEntry]) {
        self.models = models
    }
}
