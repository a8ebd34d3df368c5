/// What counts of tokens may be, whoever tells them.
package enum TokenBounds {
    /// Of one prompt.
    ///
    /// No model's context is as long, and the squares of as many prompts as there can be still have a sum.
    package static let mostOfPrompt = 1 << 24
    /// Of a text prompt for each of its bytes, as learnt from what workers count; templates around it count along.
    package static let mostPerByte = 4.0
}
