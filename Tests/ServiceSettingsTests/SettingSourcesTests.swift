internal import Foundation
internal import ServiceSettings
internal import ServingModel
internal import Testing

@Suite("Where settings come from")
struct SettingSourcesTests {
    private let file = ConfigurationFile(
        """
        # Comments and blank lines are nothing.

        workers: 3          # so is this
        policy: "jsq"
        name: 'a # b: c'
        upstream: http://a:1,http://b:2#no
        max-queries: 50
        """,
        path: "f"
    )

    @Test("The command line wins over the environment, that over the file, that over the default")
    func precedence() throws {
        let setting = try #require(SettingTable["workers"])
        let nobody = SettingSources(environment: [:])
        let filed = SettingSources(file: file, environment: ["ALADDIN_WORKERS": ""])
        let both = SettingSources(file: file, environment: ["ALADDIN_WORKERS": "4"])
        #expect(nobody.effective(setting) == .init(text: "2", origin: .standard))
        #expect(filed.effective(setting) == .init(text: "3", origin: .file(path: "f", line: 3)))
        #expect(both.effective(setting) == .init(text: "4", origin: .environment))
        #expect(both.effective(setting, ["--workers", "5"]) == .init(text: "5", origin: .commandLine))
        #expect(both.effective(setting, ["--standby", "--workers=6"]) == .init(text: "6", origin: .commandLine))
    }

    @Test("A file is read as it is meant: comments, quotes, colons in values")
    func reading() {
        #expect(
            file.faults.map(\.description) == [
                "f:6: upstream is 'http://a:1,http://b:2#no'; it must be an address like http://HOST:PORT (no user name, no query), or several with a comma between"
            ]
        )
        #expect(file.entries["policy"] == .init(text: "jsq", line: 4))
        #expect(file.entries["name"] == .init(text: "a # b: c", line: 5))
        #expect(file.entries.count == 5)
    }

    @Test("A database's password is shown nowhere")
    func passwords() throws {
        let journal = try #require(SettingTable["journal"])
        #expect(journal.form.shown("postgres://me:se:cr@et@db:5432/x?schema=y") == "postgres://me:…@db:5432/x?schema=y")
        for text in ["sqlite", "postgres://db:5432/x", "postgres://me@db/x", "postgres://"] {
            #expect(journal.form.shown(text) == text)
        }
        let fault = ConfigurationFault(journal, "postgre://me:secret@db", .commandLine, "right")
        #expect(!fault.description.contains("secret"))
        #expect(journal.form.expectation(unmetBy: "postgre://me:secret@db") != nil)
        #expect(journal.form.expectation(unmetBy: "postgresql://db/x") == nil)
    }

    @Test("Lines may end with CR and LF, names may stand beside blanks")
    func lineEnds() {
        let file = ConfigurationFile("workers : 3\r\n  policy:jsq\r\n", path: "f")
        #expect(file.faults.isEmpty)
        #expect(file.entries == ["workers": .init(text: "3", line: 1), "policy": .init(text: "jsq", line: 2)])
    }

    @Test("Lists given flag by flag are one setting")
    func lists() throws {
        let line = CommandLineSettings([
            "--upstream", "http://a", "--upstream=http://b", "--plugin-option", "a=1", "--plugin-option", "b=2",
        ])
        #expect(line["upstream"] == "http://a,http://b")
        #expect(line["plugin-option"] == "a=1;b=2")
    }

    @Test("A setting that a command does not heed can't stop it")
    func foreign() {
        let sources = SettingSources(environment: ["ALADDIN_HTTP": "nonsense"])
        #expect(sources.faults(of: "worker").isEmpty)
        #expect(sources.faults(of: "gateway").count == 1)
    }

    @Test("Variables that are no settings are found")
    func strangers() {
        let sources = SettingSources(environment: [
            "ALADDIN_WOKERS": "3", "ALADDIN_WORKERS": "3", "PATH": "/", "ALADDIN_CONFIG": "f",
        ])
        #expect(sources.strangeVariables == ["ALADDIN_WOKERS"])
    }

    @Test("Every default is a value that its setting may have")
    func defaults() {
        for setting in SettingTable.all where !setting.standard.isEmpty {
            #expect(setting.form.expectation(unmetBy: setting.standard) == nil, "\(setting.name)")
        }
        #expect(Set(SettingTable.all.map(\.name)).count == SettingTable.all.count)
        #expect(
            SettingTable.all.allSatisfy { !$0.commands.isEmpty && Set($0.commands).isSubset(of: SettingTable.commands) }
        )
    }

    @Test("Classes of objectives are read")
    func classes() throws {
        let classes = try #require(ObjectiveClassList.parse("interactive=500/50, batch = 60000 / 500"))
        #expect(
            classes["interactive"]
                == ServiceLevelObjective(timeToFirstToken: .milliseconds(500), averageTokenTime: .milliseconds(50))
        )
        #expect(classes["batch"]?.timeToFirstToken == .seconds(60))
        for wrong in ["", "a", "a=1", "a=1/2/3", "a=0/1", "a=1/-1", "=1/1", "a b=1/1", "a=1/1,", "a=x/1"] {
            #expect(ObjectiveClassList.parse(wrong) == nil, "\(wrong)")
        }
    }
}
