internal import ServingModel

/// The owner's name for a sequence in a batch: any number that no other sequence of the batch carries at the time.
package struct SequenceKey: SerialNumber {
    package var rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }
}
