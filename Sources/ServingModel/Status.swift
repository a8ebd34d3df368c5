/// gRPC's status codes, with gRPC's numbers.
public enum StatusCode: Int32, Hashable, Sendable, CaseIterable {
    case ok = 0
    case cancelled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case alreadyExists = 6
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case aborted = 10
    case outOfRange = 11
    case unimplemented = 12
    case internalError = 13
    case unavailable = 14
    case dataLoss = 15
    case unauthenticated = 16
}

/// Why something was refused or failed: a closed list, for machines.
///
/// The raw value is the number on the wire (`aladdin.v1.Reason`); `label` is the word in JSON, logs and metrics.
public enum Reason: Int32, Hashable, Sendable, CaseIterable {
    case none = 0
    // The request itself.
    case malformed = 1
    case emptyPrompt = 2
    case promptTooLong = 3
    case maxTokensOutOfRange = 4
    case invalidSampling = 5
    case invalidObjective = 6
    case invalidMetadata = 7
    case unknownModel = 8
    case unknownQuery = 9
    case unsupported = 10
    case keyReused = 11
    case queryRuns = 12
    case wrongShard = 13
    // The state of the service.
    case noWorker = 20
    case queueFull = 21
    case tooManyQueries = 22
    case tooManySessions = 23
    case objectiveUnreachable = 24
    case shuttingDown = 25
    case deadlineExpired = 26
    case cancelledByClient = 27
    case clientGone = 28
    case slowReader = 29
    case overloaded = 30
    case journalFailed = 31
    // The worker.
    case workerLost = 40
    case engineFailed = 41
    case attemptsExhausted = 42
    case outOfMemory = 43
    case poisonous = 44
    case engineStalled = 45
    case handoverFailed = 46
    // The session.
    case unsupportedVersion = 60
    case staleSession = 61
    case protocolViolation = 62
    case wrongRole = 63
    case messageTooLarge = 64
    case sessionExpired = 65
    case superseded = 66
    // Who may do what.
    case keyRevoked = 80
    case invalidApiKey = 81
    case tenantForbidden = 82
    case tooFast = 83

    /// The word for JSON, logs and metrics, in snake case.
    public var label: String {
        var label = ""
        for character in String(describing: self) {
            if character.isUppercase { label.append("_") }
            label.append(contentsOf: character.lowercased())
        }
        return label
    }
}

/// How something ended: a code for programs, a reason for machines, a sentence for people.
///
/// Messages never carry prompts or outputs.
public struct Status: Hashable, Sendable, Error, CustomStringConvertible {
    public var code: StatusCode
    public var reason: Reason
    /// Few have any, and every result that is kept has a status.
    private var detail: Detail?

    public var message: String {
        get { detail?.message ?? "" }
        set { detail = Detail(newValue, detail?.retryAfter) }
    }

    /// When trying again may help, counted from now; nil says nothing about retrying.
    public var retryAfter: Interval? {
        get { detail?.retryAfter }
        set { detail = Detail(detail?.message ?? "", newValue) }
    }

    public init(_ code: StatusCode, _ reason: Reason = .none, _ message: String = "", retryAfter: Interval? = nil) {
        self.code = code
        self.reason = reason
        detail = Detail(message, retryAfter)
    }

    public static let ok = Status(.ok)

    public var isOK: Bool { code == .ok }

    public var description: String {
        let kind = reason == .none ? "\(code)" : "\(code), \(reason.label)"
        return message.isEmpty ? kind : "\(message) (\(kind))"
    }

    private final class Detail: Hashable, Sendable {
        let message: String
        let retryAfter: Interval?

        /// Nil if there is nothing to say.
        init?(_ message: String, _ retryAfter: Interval?) {
            if message.isEmpty, retryAfter == nil { return nil }
            self.message = message
            self.retryAfter = retryAfter
        }

        static func == (one: Detail, other: Detail) -> Bool {
            one === other || one.message == other.message && one.retryAfter == other.retryAfter
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(message)
            hasher.combine(retryAfter)
        }
    }
}
