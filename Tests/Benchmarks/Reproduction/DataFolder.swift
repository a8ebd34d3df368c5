internal import Foundation
internal import Scheduling
internal import ServingModel
internal import Simulation

/// The traces, profiles and measurements of the repository.
struct DataFolder: Sendable {
    let root: String

    func text(_ path: String) throws -> String {
        let file = URL(fileURLWithPath: root).appendingPathComponent(path)
        guard let text = try? String(contentsOf: file, encoding: .utf8) else {
            throw UsageError(message: "\(file.path) can't be read; run this in the repository or give --root")
        }
        return text
    }

    func trace(_ name: String) throws -> Trace {
        try TraceReading(text: text("Tests/Data/traces/\(name)")).trace
    }

    func profile(_ name: String) throws -> LatencyProfile {
        try JSONDecoder().decode(LatencyProfile.self, from: Data(text("Tests/Data/profiles/\(name).json").utf8))
    }

    func settings() throws -> SettingsFile {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(SettingsFile.self, from: Data(text("Tests/Data/settings.json").utf8))
    }

    func setting(_ name: String) throws -> LoadSetting {
        guard let setting = try settings().settings.first(where: { $0.name == name }) else {
            throw UsageError(message: "Tests/Data/settings.json has no setting '\(name)'")
        }
        return setting
    }

    /// The rows of a CSV file as dictionaries by the names in its header.
    func rows(_ path: String) throws -> [[String: String]] {
        let lines = try text(path).split(whereSeparator: \.isNewline)
        guard let header = lines.first?.split(separator: ",").map(String.init) else { return [] }
        return lines.dropFirst().map { line in
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            return Dictionary(zip(header, fields)) { first, _ in first }
        }
    }

    /// Measured step times of the fitting tests.
    func measurements(_ name: String, _ phase: MeasurementTable.Phase) throws -> MeasurementTable {
        try MeasurementTable(csv: text("Tests/SchedulingTests/Measurements/\(name).csv"), phase: phase)
    }
}
