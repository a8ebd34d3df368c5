internal import Messages
internal import ServingModel

extension QueryEvent {
    init(_ event: GenerateEvent) {
        self =
            switch event {
            case .accepted(let accepted):
                .accepted(id: accepted.queryID)
            case .started(let started):
                .started(
                    worker: started.worker,
                    attempt: started.attempt,
                    predictedTimeToFirstToken: started.predictedTimeToFirstToken > .zero
                        ? started.predictedTimeToFirstToken : nil
                )
            case .tokens(let tokens):
                .tokens(firstIndex: tokens.firstIndex, count: tokens.count, ids: tokens.ids, text: tokens.text)
            case .reset(let firstIndex):
                .reset(firstIndex: firstIndex)
            case .finished(let finished):
                .finished(
                    reason: finished.reason,
                    inputTokens: finished.inputTokens,
                    outputTokens: finished.outputTokens
                )
            }
    }
}
