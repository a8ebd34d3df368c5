internal import ArgumentParser
internal import Foundation
internal import Journal
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

    @Option(help: "sqlite, or none: a broker without a journal forgets its queries when it stops. (default: sqlite)")
    var journal: String?

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
        var configuration = JournalConfiguration()
        (configuration.retention, configuration.maxResults, configuration.maxBytes) = try retention()
        configuration.acceptsLoss = try Setting.flag(journalAcceptLoss, "journal-accept-loss")
        return SQLiteJournal(directory: directory, configuration: configuration) {
            UnixTime(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        }
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
        let environment = ProcessInfo.processInfo.environment
        let state = environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        return (state ?? NSHomeDirectory() + "/.local/state") + "/aladdin/\(name)"
    }
}
