internal import Foundation
internal import ServiceSettings
internal import Testing

@Suite("The document of settings")
struct SettingDocumentTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// A row of the table in `docs/configuration.md`.
    private struct Row: Hashable {
        var name: String
        var commands: String
        var standard: String
        var reloads: Bool

        init(_ setting: SettingDescription) {
            name = setting.name
            commands = setting.commands == SettingTable.commands ? "all" : setting.commands.joined(separator: ", ")
            standard = setting.standard
            reloads = setting.isReloadable
        }

        init?(_ line: Substring) {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 7, cells[1].hasPrefix("`") else { return nil }
            name = cells[1].filter { $0 != "`" }
            commands = cells[2]
            standard = cells[4].wholeMatch(of: /`(.*)`/).map { String($0.1) } ?? ""
            reloads = cells[5] == "yes"
        }
    }

    @Test("Each setting is described once, with its commands, default and whether it reloads, and nothing else is")
    func everySettingIsDescribed() throws {
        let text = try String(contentsOf: Self.repository.appending(path: "docs/configuration.md"), encoding: .utf8)
        let described = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.compactMap { Row($0) }
        let declared = SettingTable.all.map { Row($0) }
        for row in declared where !described.contains(row) { Issue.record("docs/configuration.md lacks \(row)") }
        for row in described where !declared.contains(row) {
            Issue.record("docs/configuration.md describes \(row), which the table does not have")
        }
        #expect(described.count == declared.count)
    }

    @Test("The example file in the document is right")
    func example() throws {
        let text = try String(contentsOf: Self.repository.appending(path: "docs/configuration.md"), encoding: .utf8)
        let block = try #require(text.firstMatch(of: /```yaml\n([^`]*)```/)?.1)
        let file = ConfigurationFile(String(block), path: "example")
        #expect(file.faults.isEmpty && file.entries.count == 5, "\(file.faults)")
    }
}
