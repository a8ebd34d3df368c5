internal import ArgumentParser
internal import Foundation
internal import Journal
internal import PostgreSQL
internal import ServiceSettings
internal import ServingModel

/// Where the broker writes down what must outlive it.
struct JournalOptions: ParsableArguments {
    @Option(
        help: """
            Directory of the journal: accepted queries and their results survive there. \
            (default: ~/.local/state/aladdin/PORT, by the port of the frontend endpoint)
            """
    )
    var data: String?

    @Option(
        help: """
            sqlite; none: a broker without a journal forgets its queries when it stops; or a PostgreSQL database, \
            postgres://USER@HOST/DATABASE, which two brokers share: one leads, the other takes over. (default: sqlite)
            """
    )
    var journal: String?

    @Option(
        help: """
            With a database: seconds after which another broker takes over from one that is not heard of. (default: 5)
            """
    )
    var leaderLeaseS: Double?

    @Flag(help: "Set a damaged journal aside and go on with what can be read of it.")
    var journalAcceptLoss = false

    @Option(help: "Hours for which ended queries, and results that nobody acknowledged, are kept. (default: 24)")
    var resultRetentionH: Double?

    @Option(help: "Ended queries kept at most; beyond it those go that ended first. (default: 1000000)")
    var maxResults: Int?

    @Option(help: "GiB of the journal in use beyond which ended queries go, those that ended first. (default: 8)")
    var journalGib: Double?

    /// How long and how many results are kept.
    func retention() throws -> (result: Interval, results: Int, bytes: Int64) {
        let standard = JournalConfiguration()
        let day = standard.retention.seconds / 3600
        let hours = try Setting.resolve(resultRetentionH, "result-retention-h", default: day)
        let results = try Setting.resolve(maxResults, "max-results", default: standard.maxResults)
        let gib = try Setting.resolve(journalGib, "journal-gib", default: Double(standard.maxBytes) / Double(1 << 30))
        return (.seconds(rounding: hours * 3600), results, Int64(gib * Double(1 << 30)))
    }

    /// The journal; nil if none is wanted.
    ///
    /// - Parameter frontend: the frontend endpoint. Brokers of one machine listen on different ports, so by default each
    ///   has a journal of its own.
    func journal(for frontend: String) throws -> (any Journal)? {
        let kind = try Setting.resolve(journal, "journal", default: "sqlite")
        if kind == "none" { return nil }
        if let database = try database(for: frontend) { return database() }
        guard let directory = try Setting.resolve(data, "data") ?? Self.standardDirectory(for: frontend) else {
            return nil
        }
        do {
            let parent = URL(fileURLWithPath: directory).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        } catch {
            throw JournalFailure(
                .inputOutput,
                "cannot make the data directory \(directory): \(error.localizedDescription). "
                    + "Choose another with --data, or --journal none to keep nothing"
            )
        }
        let parent = URL(fileURLWithPath: directory).deletingLastPathComponent().path
        if let warning = SQLiteJournal.warning(about: parent) { Terminal.complain("warning: \(warning)") }
        var configuration = try configuration()
        configuration.acceptsLoss = try Setting.flag(journalAcceptLoss, "journal-accept-loss")
        return SQLiteJournal(directory: directory, configuration: configuration, now: Self.now)
    }

    /// What makes a journal in a database, a new one for each time that this broker comes to lead; nil if it is not to
    /// be in one.
    func database(for frontend: String) throws -> (@Sendable () -> PostgreSQLJournal)? {
        guard let text = try Setting.resolve(journal, "journal"), PostgreSQLAddress.isAddress(text) else { return nil }
        guard try !Setting.flag(journalAcceptLoss, "journal-accept-loss") else {
            throw ValidationError(
                "--journal-accept-loss is for a journal in SQLite; a database is repaired with its own tools"
            )
        }
        let address: PostgreSQLAddress
        do throws(PostgreSQLAddress.Fault) {
            address = try PostgreSQLAddress(text)
        } catch {
            let label = Setting.label("journal", isGiven: journal != nil)
            throw ValidationError("\(label) is '\(SettingForm.journal.shown(text))'; \(error)")
        }
        let configuration = try configuration()
        let name = "\(ProcessInfo.processInfo.hostName), \(frontend)"
        return { PostgreSQLJournal(address, name: name, configuration: configuration, now: Self.now) }
    }

    private func configuration() throws -> JournalConfiguration {
        var configuration = JournalConfiguration()
        (configuration.retention, configuration.maxResults, configuration.maxBytes) = try retention()
        configuration.lease = .seconds(
            rounding: try Setting.resolve(leaderLeaseS, "leader-lease-s", default: configuration.lease.seconds)
        )
        return configuration
    }

    @Sendable private static func now() -> UnixTime {
        UnixTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
    }

    /// Nil for an endpoint that has no name before it is bound: the next start could not find the journal again.
    static func standardDirectory(for frontend: String) -> String? {
        let name: String
        if frontend.hasPrefix("tcp://") {
            guard let port = frontend.split(separator: ":").last.flatMap({ UInt16($0) }), port > 0 else { return nil }
            name = "\(port)"
        } else {
            name = frontend.map { $0.isLetter || $0.isNumber || $0 == "-" ? $0 : "_" }.reduce(into: "") {
                $0.append($1)
            }
        }
        return StateDirectory.path(name)
    }
}
