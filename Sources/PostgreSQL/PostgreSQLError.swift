internal import CPostgreSQL

/// Why the database did not do what it was asked to.
package struct PostgreSQLError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
        /// There is no connection (any more): whether the last statements had an effect is not known.
        case connection
        /// The database refused; nothing of the transaction has happened.
        case refused
        /// Whoever waited gave up; the connection is of no more use.
        case abandoned
    }

    package var kind: Kind
    /// Five characters, see https://www.postgresql.org/docs/15/errcodes-appendix.html; empty if it has none.
    package var state: String
    /// Without statements and their parameters, which may be prompts.
    package var message: String

    package init(_ kind: Kind, state: String = "", _ message: String) {
        self.kind = kind
        self.state = state
        self.message = message
    }

    package var description: String { state.isEmpty ? message : "\(message) (SQLSTATE \(state))" }

    /// Whether the same may work a moment later, on another connection if need be.
    package var isPassing: Bool {
        switch kind {
        case .connection: true
        case .abandoned: false
        case .refused:
            // Connections, rollbacks for the sake of others, resources, an operator, a database that is a copy for now.
            ["08", "40", "53", "57"].contains { state.hasPrefix($0) } || ["55P03", "25006"].contains(state)
        }
    }

    /// What a failed result says.
    init(_ result: OpaquePointer, isConnected: Bool) {
        let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) } ?? ""
        let primary = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) }
        // The database ends the connection itself after these.
        let endsConnection = state.hasPrefix("08") || ["57P01", "57P02", "57P03", "25P03", "57P05"].contains(state)
        self.init(
            isConnected && !endsConnection && !state.isEmpty ? .refused : .connection,
            state: state,
            primary ?? Self.flat(String(cString: PQresultErrorMessage(result)))
        )
    }

    /// Why there is no connection, by libpq's words: it tells no SQLSTATE for that.
    init(connecting message: String) {
        let refusals = [
            ("password authentication failed", "28P01"), ("no password supplied", "28P01"), ("pg_hba.conf", "28000"),
            ("role \"", "28000"), ("database \"", "3D000"),
        ]
        let state = refusals.first { message.contains($0.0) }?.1
        self.init(state == nil ? .connection : .refused, state: state ?? "", Self.flat(message))
    }

    /// libpq's words on one line.
    static func flat(_ message: String) -> String {
        message.split(whereSeparator: \.isNewline).map { line in
            String(line.drop { $0 == "\t" || $0 == " " })
        }.joined(separator: "; ")
    }
}
