/// How long one prefill took: whole prompts, nothing else in the step.
package struct PrefillMeasurement: Hashable, Sendable {
    /// Prompts in the step, taken to be of equal length.
    package var batch: Int
    /// Prompt tokens of all of them together.
    package var inputTokens: Int
    package var milliseconds: Double

    package init(batch: Int, inputTokens: Int, milliseconds: Double) {
        self.batch = batch
        self.inputTokens = inputTokens
        self.milliseconds = milliseconds
    }
}
