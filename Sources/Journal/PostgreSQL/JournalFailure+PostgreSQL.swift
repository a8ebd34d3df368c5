internal import PostgreSQL

extension JournalFailure {
    /// An error of PostgreSQL or of a row, as words for an operator.
    ///
    /// - Parameter deed: what was being done, such as "writing".
    init(_ error: any Error, _ deed: String, _ address: PostgreSQLAddress) {
        switch error {
        case let error as JournalFailure: self = error
        case let error as RowDamage:
            self.init(.damaged, "the journal in schema \(address.schema) of \(address.shown) is damaged: \(error)")
        case let error as PostgreSQLError: self.init(error, deed, address)
        default: self.init(.damaged, "\(deed) the journal in \(address.shown) failed: what is there makes no sense")
        }
    }

    private init(_ error: PostgreSQLError, _ deed: String, _ address: PostgreSQLAddress) {
        let start = "\(deed) the journal in \(address.shown) failed"
        if error.kind == .connection, error.state.isEmpty {
            self.init(.unreachable, "\(start): \(Self.advice(error.message))")
            return
        }
        switch error.state.prefix(2) {
        case "08", "57": self.init(.unreachable, "\(start): \(error)")
        case "28", "3D": self.init(.inputOutput, "\(start): \(Self.advice(error.message))")
        case "42" where error.state == "42501":
            self.init(
                .inputOutput,
                "\(start): \(error); the user needs the right to create schema \(address.schema), or to own it"
            )
        case "53": self.init(.inputOutput, "\(start): \(error); make room on the database's host")
        case "23": self.init(.damaged, "\(start): a record contradicts what is there (\(error))")
        default: self.init(.inputOutput, "\(start): \(error)")
        }
    }

    /// libpq tells in words only why there is no connection.
    private static func advice(_ message: String) -> String {
        let hints = [
            ("password authentication failed", "check the password: PGPASSFILE, or PGPASSWORD in the environment"),
            ("no password supplied", "give one: PGPASSFILE, or PGPASSWORD in the environment"),
            ("no pg_hba.conf entry", "allow this host and user there"),
            ("does not exist", "make it with createdb or createuser"),
            ("Connection refused", "is the server running, and does it listen there?"),
            ("could not translate host name", "check the host's name"),
        ]
        let hint = hints.first { message.contains($0.0) }.map { "; \($0.1)" }
        return message + (hint ?? "")
    }
}
