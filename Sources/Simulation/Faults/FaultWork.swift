internal import Brokering
internal import ServingModel

/// What a client wants to have answered: the same thing however often it is submitted.
struct FaultWork: Sendable {
    let number: Int
    let owner: Int
    let key: String?
    let durability: Durability
    let model: String
    let inputTokens: Int
    let maxTokens: Int
    let timeout: Interval?
    let priority: Int
    /// Kills the worker that computes this token.
    var poisonIndex: Int?
    /// The engine refuses it: its own fault.
    var isUnservable = false

    static let owners = ["ada", "grace"]

    var ownerName: String { Self.owners[owner] }

    static func account(ofOwner owner: Int) -> Account { Account(tenant: owners[owner]) }

    /// - Parameter isVariant: asks for something else under the same name.
    func submission(isVariant: Bool = false) -> Submission {
        var submission = Submission(
            model: model,
            inputTokens: inputTokens,
            promptBytes: inputTokens * 4,
            maxTokens: maxTokens,
            priority: priority,
            tenant: ownerName,
            timeout: timeout,
            request: OpaqueRequest(
                [UInt8(number & 0xFF), UInt8(number >> 8)] + Array(repeating: 7, count: inputTokens)
            )
        )
        submission.durability = durability
        submission.owner = ownerName
        submission.idempotencyKey = key
        submission.requestHash = UInt64(number * 2 + (isVariant ? 1 : 0))
        return submission
    }

    /// The work that a request's bytes belong to.
    static func number(of request: OpaqueRequest) -> Int? {
        let bytes = request.bytes
        return bytes.count >= 2 ? Int(bytes[0]) | Int(bytes[1]) << 8 : nil
    }

    /// Where an attempt stops by itself; beyond `maxTokens` it doesn't.
    func stop(in attempt: Int) -> Int {
        1 + (number * 37 + attempt * 11) % (maxTokens + maxTokens / 2 + 1)
    }
}

/// Every token says whose it is and which attempt made it, so that a wrong one can be told from all others.
enum FaultToken {
    static func make(work: Int, attempt: Int, index: Int) -> Int32 {
        Int32(work & 0xFFF) << 19 | Int32(attempt & 0x3F) << 13 | Int32(index & 0x1FFF)
    }

    static func work(of token: Int32) -> Int { Int(token >> 19) }
    static func index(of token: Int32) -> Int { Int(token & 0x1FFF) }

    /// Eight digits for each token.
    static func text(_ token: Int32) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: (0..<8).map { digits[Int(token >> Int32(28 - 4 * $0)) & 0xF] }, as: UTF8.self)
    }

    /// The tokens that a text is made of; nil if it is none of ours.
    static func tokens(in text: some Collection<UInt8>) -> [Int32]? {
        guard text.count % 8 == 0 else { return nil }
        var tokens: [Int32] = []
        tokens.reserveCapacity(text.count / 8)
        var token: UInt32 = 0
        var digits = 0
        for byte in text {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            default: return nil
            }
            token = token << 4 | UInt32(digit)
            digits += 1
            if digits == 8 {
                tokens.append(Int32(bitPattern: token))
                (token, digits) = (0, 0)
            }
        }
        return tokens
    }
}
