internal import ServingModel

/// Batches carry whole requests: they are written and read without C structures in between, so that a prompt is copied
/// once on either side. The bytes are those that protobuf-c makes, and what is unusual is left to it.
extension WorkerCommand {
    private static let mostAssignments = 4096

    package func encode() -> [UInt8] {
        guard case .batch(let assignments) = self, assignments.allSatisfy(\.isUsual) else { return packed() }
        let sizes = assignments.map(\.wireSize)
        let size = sizes.reduce(0) { $0 + [UInt8].wireSize(ofBytes: $1) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size + 16)
        bytes.append(0x12)
        bytes.appendWire(UInt64(size))
        for (assignment, size) in zip(assignments, sizes) {
            bytes.append(0x0A)
            bytes.appendWire(UInt64(size))
            assignment.append(to: &bytes)
        }
        return bytes
    }

    package static func decode(_ bytes: [UInt8]) throws(DecodingFailure) -> WorkerCommand {
        guard let assignments = bytes.withUnsafeBytes(assignments) else { return try unpacked(bytes) }
        return .batch(assignments)
    }

    private static func assignments(_ bytes: UnsafeRawBufferPointer) -> [WireAssignment]? {
        var wire = WireCursor(bytes)
        guard wire.tag() == 0x12, var batch = wire.piece(), wire.isAtEnd else { return nil }
        var assignments: [WireAssignment] = []
        while let tag = batch.tag() {
            guard tag == 0x0A, assignments.count < mostAssignments, let piece = batch.piece(),
                let assignment = WireAssignment(piece)
            else { return nil }
            assignments.append(assignment)
        }
        return batch.isAtEnd ? assignments : nil
    }
}

extension WireAssignment {
    /// Whether it has nothing but what is written here, and nothing that would have to be changed on the way.
    fileprivate var isUsual: Bool {
        resumedTokens.isEmpty && kvCache.isEmpty && attempt >= 0 && attempt <= UInt32.max && !queryID.hasNUL
            && !traceparent.hasNUL
    }

    private var numbers: [(tag: UInt8, number: UInt64)] {
        [(0x18, UInt64(attempt)), (0x20, Writing.milliseconds(remaining))]
    }

    /// Bytes that it takes.
    fileprivate var wireSize: Int {
        var size = numbers.reduce(0) { $1.number == 0 ? $0 : $0 + 1 + [UInt8].wireSize($1.number) }
        if lease.rawValue != 0 { size += 1 + [UInt8].wireSize(lease.rawValue) }
        for count in [queryID.utf8.count, request.count, traceparent.utf8.count] where count > 0 {
            size += [UInt8].wireSize(ofBytes: count)
        }
        if handsOver { size += 2 }
        return size
    }

    fileprivate func append(to bytes: inout [UInt8]) {
        bytes.appendWire(0x08, lease.rawValue)
        if !queryID.isEmpty { bytes.appendWire(0x12, bytes: queryID.utf8) }
        for (tag, number) in numbers { bytes.appendWire(tag, number) }
        if !request.isEmpty { bytes.appendWire(0x2A, bytes: request.bytes) }
        if !traceparent.isEmpty { bytes.appendWire(0x3A, bytes: traceparent.utf8) }
        if handsOver { bytes.appendWire(0x40, 1) }
    }

    /// - Returns: nil for anything but an assignment of the usual form.
    fileprivate init?(_ piece: WireCursor) {
        var wire = piece
        var seen = FieldsSeen()
        self.init(lease: Lease(rawValue: 0), queryID: "", attempt: 0, remaining: nil, request: [], resumedTokens: [])
        while let tag = wire.tag() {
            guard seen.first(Int(tag >> 3)) else { return nil }
            switch tag {
            case 0x08:
                guard let number = wire.number() else { return nil }
                lease = Lease(rawValue: number)
            case 0x12:
                guard let text = wire.piece()?.text() else { return nil }
                queryID = text
            case 0x18:
                guard let number = wire.number(atMost: UInt64(UInt32.max)) else { return nil }
                attempt = Int(number)
            case 0x20:
                guard let number = wire.number(atMost: WireBounds.longestMilliseconds), number > 0 else { return nil }
                remaining = .milliseconds(Int64(number))
            case 0x2A:
                guard let piece = wire.piece() else { return nil }
                request = OpaqueRequest(piece.all)
            case 0x3A:
                guard let text = wire.piece()?.text() else { return nil }
                traceparent = text
            case 0x40:
                guard wire.number(atMost: 1) == 1 else { return nil }
                handsOver = true
            default: return nil
            }
        }
        guard wire.isAtEnd else { return nil }
    }
}
