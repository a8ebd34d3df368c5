internal import ServingModel

extension GenerateEvent {
    /// Adds the body to bytes that are there already.
    ///
    /// What every answer has is written without C structures in between, byte for byte as `encode` makes it.
    package func append(to bytes: inout [UInt8]) {
        let isWritten =
            switch self {
            case .accepted(let accepted): accepted.append(to: &bytes)
            case .started(let started): started.append(to: &bytes)
            case .tokens(let tokens): tokens.append(to: &bytes)
            case .finished(let finished): finished.append(to: &bytes)
            case .reset: false
            }
        if !isWritten { bytes += encode() }
    }
}

// Each adds an event of its kind, or says no and adds nothing: for what has to be changed on the way, such as a NUL in a
// text or a negative number.

extension AcceptedEvent {
    fileprivate func append(to bytes: inout [UInt8]) -> Bool {
        guard !queryID.hasNUL else { return false }
        let level = durability.rawValue.utf8
        let size = [UInt8].wireSize(ofText: queryID) + [UInt8].wireSize(ofBytes: level.count) + (isDuplicate ? 2 : 0)
        bytes.append(0x0A)
        bytes.appendWire(UInt64(size))
        if !queryID.isEmpty { bytes.appendWire(0x0A, bytes: queryID.utf8) }
        bytes.appendWire(0x12, bytes: level)
        if isDuplicate { bytes.appendWire(0x18, 1) }
        return true
    }
}

extension StartedEvent {
    fileprivate func append(to bytes: inout [UInt8]) -> Bool {
        guard !worker.hasNUL, attempt >= 0, attempt <= UInt32.max else { return false }
        let predicted = Writing.microseconds(predictedTimeToFirstToken)
        let size =
            [UInt8].wireSize(ofText: worker) + [UInt8].wireSize(ofField: UInt64(attempt))
            + [UInt8].wireSize(ofField: predicted)
        bytes.append(0x12)
        bytes.appendWire(UInt64(size))
        if !worker.isEmpty { bytes.appendWire(0x0A, bytes: worker.utf8) }
        bytes.appendWire(0x10, UInt64(attempt))
        bytes.appendWire(0x18, predicted)
        return true
    }
}

extension FinishedEvent {
    fileprivate func append(to bytes: inout [UInt8]) -> Bool {
        let counts = 0...Int(UInt32.max)
        guard counts.contains(inputTokens), counts.contains(outputTokens) else { return false }
        let numbers = [UInt64(reason.rawValue), UInt64(inputTokens), UInt64(outputTokens)]
        bytes.append(0x2A)
        bytes.appendWire(numbers.reduce(0) { $0 + UInt64([UInt8].wireSize(ofField: $1)) })
        bytes.appendWire(0x08, numbers[0])
        bytes.appendWire(0x10, numbers[1])
        bytes.appendWire(0x18, numbers[2])
        return true
    }
}

extension TokensEvent {
    private static let eventTag: UInt8 = 0x1A
    private static let firstIndexTag: UInt8 = 0x08
    private static let countTag: UInt8 = 0x10
    private static let idsTag: UInt8 = 0x1A
    private static let textTag: UInt8 = 0x22

    fileprivate func append(to bytes: inout [UInt8]) -> Bool {
        let text = text.utf8
        guard firstIndex >= 0, firstIndex <= UInt32.max, count >= 0, count <= UInt32.max,
            !ids.contains(where: { $0 < 0 }),
            !text.contains(0)
        else { return false }
        let idBytes = ids.reduce(0) { $0 + [UInt8].wireSize(UInt64($1)) }
        let size =
            (firstIndex == 0 ? 0 : 1 + [UInt8].wireSize(UInt64(firstIndex)))
            + (count == 0 ? 0 : 1 + [UInt8].wireSize(UInt64(count)))
            + (ids.isEmpty ? 0 : 1 + [UInt8].wireSize(UInt64(idBytes)) + idBytes)
            + (text.isEmpty ? 0 : 1 + [UInt8].wireSize(UInt64(text.count)) + text.count)
        bytes.append(Self.eventTag)
        bytes.appendWire(UInt64(size))
        bytes.appendWire(Self.firstIndexTag, UInt64(firstIndex))
        bytes.appendWire(Self.countTag, UInt64(count))
        if !ids.isEmpty {
            bytes.append(Self.idsTag)
            bytes.appendWire(UInt64(idBytes))
            for id in ids { bytes.appendWire(UInt64(id)) }
        }
        if !text.isEmpty { bytes.appendWire(Self.textTag, bytes: text) }
        return true
    }
}
