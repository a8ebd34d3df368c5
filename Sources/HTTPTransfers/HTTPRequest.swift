package import ServingModel

/// One request to an HTTP server.
package struct HTTPRequest: Hashable, Sendable {
    /// Absolute, `http` or `https`.
    package var url: String
    /// Complete lines, a name, a colon and a value; they may carry secrets and are never printed.
    package var headers: [String] = []
    /// Posted if it is there; without it the request is a GET.
    package var body: [UInt8]?
    /// Another method than these two.
    package var method: String?
    /// File of the certificates that are trusted, instead of the system's.
    package var trustedCertificates: String?
    package var connectTimeout = Interval.seconds(5)
    /// The longest time in which not a byte comes, in whole seconds; nil waits for ever.
    package var idleTimeout: Interval?
    /// The longest time for the whole of it; nil for none.
    package var timeout: Interval?

    package init(_ url: String) {
        self.url = url
    }
}

/// What is heard of a request, in this order, on the client's thread.
package enum HTTPEvent: Sendable {
    /// The answer's status, and the seconds that the server asks to stay away.
    case began(status: Int, retryAfter: Interval?)
    /// Any number of times.
    case body([UInt8])
    /// Comes exactly once, whatever happens.
    case ended(TransferFailure?)
}

/// Whether a hearer wants the rest of an answer; after `enough` only `ended` comes.
package enum HTTPInterest: Sendable {
    case more
    case enough
}

/// A small answer, read as a whole.
package struct HTTPAnswer: Sendable {
    package var status: Int
    package var body: [UInt8]

    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Why no answer came, or only a part of one.
package struct TransferFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// Nobody answers there: no such host, nothing listens.
        case unreachable
        case timedOut
        /// The connection ended before the answer did.
        case cut
        /// By the caller, who may also have had enough of it.
        case cancelled
        /// An answer larger than the caller takes.
        case tooLarge
        /// What is left: a URL that cannot be read, a certificate that is not trusted.
        case failed
    }

    package var kind: Kind
    /// In libcurl's words; no addresses, no content.
    package var description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
