internal import CPostgreSQL

/// Where a database is and who comes: `postgres://USER@HOST:PORT/DATABASE?schema=NAME`, and whatever else libpq knows.
///
/// What is missing comes from libpq's environment (`PGUSER`, `PGPASSFILE` and so forth). A password had better not stand
/// here, where `ps` shows it; `shown` leaves it out.
package struct PostgreSQLAddress: Hashable, Sendable {
    /// Without `schema`, which libpq does not know.
    package let connection: String
    /// Where the tables are.
    package let schema: String
    /// For messages: hosts, port and database.
    package let shown: String

    package static let defaultSchema = "aladdin"

    /// Whether `text` is meant to be such an address.
    package static func isAddress(_ text: String) -> Bool {
        ["postgres://", "postgresql://"].contains { text.hasPrefix($0) }
    }

    /// - Throws: what is wrong, as the rest of a sentence.
    package init(_ text: String) throws(Fault) {
        guard Self.isAddress(text) else { throw Fault("it must begin with postgres://") }
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var schema = Self.defaultSchema
        var options: [Substring] = []
        for option in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            if option.hasPrefix("schema=") {
                schema = String(option.dropFirst("schema=".count))
            } else {
                options.append(option)
            }
        }
        guard Self.isName(schema) else {
            throw Fault("schema is '\(schema)'; it must be 1 to 40 of a to z, 0 to 9 and _, and not begin with a digit")
        }
        self.schema = schema
        connection = String(parts[0]) + (options.isEmpty ? "" : "?" + options.joined(separator: "&"))
        shown = try Self.shown(connection)
    }

    /// What is wrong with an address.
    package struct Fault: Error, Hashable, CustomStringConvertible {
        package var description: String

        init(_ description: String) {
            self.description = description
        }
    }

    private static func isName(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count) && text.first?.isNumber == false
            && text.utf8.allSatisfy { $0 >= 0x61 && $0 <= 0x7A || $0 >= 0x30 && $0 <= 0x39 || $0 == 0x5F }
    }

    private static func shown(_ connection: String) throws(Fault) -> String {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(connection, &message) else {
            defer { PQfreemem(message) }
            // The message may have a part of the address, which may be a password.
            throw Fault("it must be postgres://USER@HOST:PORT/DATABASE, with names and values percent-encoded")
        }
        defer { PQconninfoFree(options) }
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        let host = values["host"] ?? values["hostaddr"] ?? "localhost"
        let port = values["port"].map { ":" + $0 } ?? ""
        return "postgres://\(host)\(port)/\(values["dbname"] ?? "")"
    }
}
