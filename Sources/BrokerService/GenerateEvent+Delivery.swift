package import Brokering
package import Messages
internal import ServingModel

extension GenerateEvent {
    /// What a reader is told, as it is on the wire; nil for the end of its stream, which is a frame of its own kind.
    package init?(_ delivery: Delivery) {
        switch delivery {
        case .accepted(let id, let durability, let isDuplicate):
            self = .accepted(
                AcceptedEvent(queryID: id.description, durability: durability, isDuplicate: isDuplicate)
            )
        case .started(let worker, let attempt, let predicted):
            self = .started(
                StartedEvent(worker: worker, attempt: attempt, predictedTimeToFirstToken: predicted ?? .zero)
            )
        case .tokens(let firstIndex, let count, let ids, let text):
            self = .tokens(TokensEvent(firstIndex: firstIndex, count: count, ids: ids, text: text))
        case .reset(let firstIndex):
            self = .reset(firstIndex: firstIndex)
        case .finished(let reason, let inputTokens, let outputTokens):
            self = .finished(FinishedEvent(reason: reason, inputTokens: inputTokens, outputTokens: outputTokens))
        case .end, .givenUp:
            return nil
        }
    }
}
