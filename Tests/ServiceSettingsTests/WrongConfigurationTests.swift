internal import ServiceSettings
internal import Testing

@Suite("Wrong configuration")
struct WrongConfigurationTests {
    /// A line of a file, the value that it has, and what the message must say would be right.
    struct Case: Sendable, CustomTestStringConvertible {
        var line: String
        var value: String
        var right: String
        var testDescription: String { line }

        init(_ line: String, _ value: String, _ right: String) {
            (self.line, self.value, self.right) = (line, value, right)
        }

        var name: String { String(line.prefix { $0 != ":" }) }
    }

    static let cases = [
        Case("frontend-endpoint: localhost:5550", "localhost:5550", "tcp://HOST:PORT or ipc:///PATH"),
        Case("worker-endpoint: tcp://127.0.0.1:70000", "tcp://127.0.0.1:70000", "tcp://HOST:PORT"),
        Case("admin-endpoint: udp://127.0.0.1:1", "udp://127.0.0.1:1", "tcp://HOST:PORT"),
        Case("worker-endpoint: 'tcp://a:1,b:2'", "tcp://a:1,b:2", "tcp://HOST:PORT"),
        Case("broker: 'tcp://a,b'", "tcp://a,b", "HOST, HOST:PORT with the first of four ports"),
        Case("broker: 'a,'", "a,", "several with a comma between"),
        Case("shards: 'a=h;b'", "a=h;b", "NAME=HOST, several hosts with a comma and several shards with a semicolon"),
        Case("shard-by: weight", "weight", "model or tenant"),
        Case("shard-pins: llama", "llama", "MODEL=SHARD or TENANT=SHARD"),
        Case("leader-lease-s: 0", "0", "a number of seconds at least 1, at most 3600"),
        Case("http: 8080", "8080", "HOST:PORT, for example 127.0.0.1:8080"),
        Case("http: 127.0.0.1:99999", "127.0.0.1:99999", "HOST:PORT"),
        Case("slo-ttft-ms: fast", "fast", "a number of milliseconds above 0"),
        Case("slo-atgt-ms: 0", "0", "a number of milliseconds above 0"),
        Case("slo-classes: chat=500", "chat=500", "NAME=TTFT/ATGT in milliseconds"),
        Case("slo-classes: a=1/1,a=2/2", "a=1/1,a=2/2", "interactive=500/50"),
        Case("admission: maybe", "maybe", "one of: off, objectives, all"),
        Case("workers: two", "two", "a whole number from 1 to 1024"),
        Case("workers: 0", "0", "a whole number from 1 to 1024"),
        Case("max-attempts: 1001", "1001", "a whole number from 1 to 1000"),
        Case("max-results: -1", "-1", "a whole number, at least 0"),
        Case("engine-timeout-s: nan", "nan", "a number of seconds above 0"),
        Case("result-retention-h: 1e9", "1e9", "above 0, at most 87600"),
        Case(
            "journal: postgres",
            "postgres",
            "sqlite, none, or a database as postgres://USER@HOST:PORT/DATABASE?schema=NAME"
        ),
        Case("journal-accept-loss: perhaps", "perhaps", "true or false"),
        Case("policy: dice", "dice", "one of: aladdin, aladdin-paper"),
        Case("policy: 'aladdin:shed=perhaps'", "aladdin:shed=perhaps", "shed"),
        Case("scaling: guess", "guess", "off or one of: forecast, paper, planner, hpa"),
        Case("engine: perpetuum", "perpetuum", "cpu, emulated, upstream or plugin:PATH"),
        Case("engine: 'plugin:'", "plugin:", "plugin:PATH"),
        Case("batching: sometimes", "sometimes", "prefill-priority or chunked"),
        Case("noise: 2", "2", "at least 0, at most 1"),
        Case("upstream: 127.0.0.1:8000", "127.0.0.1:8000", "an address like http://HOST:PORT"),
        Case("upstream: 'http://a:1,http://u@b:2'", "http://a:1,http://u@b:2", "no user name"),
        Case("plugin-option: fast", "fast", "KEY=VALUE"),
        Case("server-key: abc", "abc", "40 characters of Z85"),
        Case("workload: worker", "worker", "deployments/NAME or statefulsets/NAME"),
        Case("actuator: hands", "hands", "one of: compose, kubernetes, command"),
        Case("log-level: shout", "shout", "trace, debug, info"),
        Case("data:", "empty", "a directory"),
        Case("wokers: 3", "3", "did you mean workers?"),
        Case("slo_ttft_ms: 3", "3", "did you mean slo-ttft-ms?"),
        Case("flux-capacitor: on", "on", "`aladdin config show` lists those there are"),
        Case("name: 'alpha", "'alpha", "must end with one"),
        Case("name: 'alpha' beta", "'alpha' beta", "nothing after it"),
    ]

    @Test("A file's setting is told with file, line, value and what would be right", arguments: cases)
    func file(wrong: Case) throws {
        let file = ConfigurationFile("# ours\n\n\n\(wrong.line)\n", path: "a.yaml")
        let fault = try #require(file.faults.first).description
        #expect(file.faults.count == 1)
        #expect(fault.hasPrefix("a.yaml:4: \(wrong.name) is"), "\(fault)")
        #expect(fault.contains(wrong.value) && fault.contains(wrong.right), "\(fault)")
        #expect(!fault.contains("\n"))
    }

    @Test("Every one of them is a message of its own")
    func distinct() {
        let messages = Self.cases.map { ConfigurationFile($0.line, path: "f").faults.map(\.description) }
        #expect(messages.allSatisfy { $0.count == 1 })
        #expect(Set(messages.joined()).count == Self.cases.count)
        #expect(Self.cases.count >= 20)
    }

    @Test(
        "The same is told of the environment and of the command line, by their names",
        arguments: cases.filter {
            SettingTable[$0.name] != nil && $0.value != "empty" && !$0.right.contains("must end")
                && !$0.right.contains("nothing after")
        }
    )
    func otherSources(wrong: Case) throws {
        let setting = try #require(SettingTable[wrong.name])
        let command = try #require(setting.commands.first)
        let environment = SettingSources(environment: [setting.variable: wrong.value])
        let variable = try #require(environment.faults(of: command).first).description
        #expect(
            variable.hasPrefix("\(setting.variable) is '\(wrong.value)'; it must be") && variable.contains(wrong.right)
        )
        for arguments in [["--\(wrong.name)", wrong.value], ["--\(wrong.name)=\(wrong.value)"]]
        where setting.form != .flag || arguments.count == 1 {
            let faults = SettingSources(environment: [:]).faults(of: command, arguments)
            #expect(try #require(faults.first).description.hasPrefix("--\(wrong.name) is '\(wrong.value)'; it must be"))
        }
    }

    @Test("Lines that are no settings, settings said twice, and secrets are told")
    func shapes() {
        let text = "workers 3\npolicy: jsq\npolicy: random\nupstream-api-key: hush-hush\n: 3\n"
        let faults = ConfigurationFile(text, path: "f").faults.map(\.description)
        #expect(
            faults == [
                "f:1: 'workers 3' is no setting; it must be NAME: VALUE",
                "f:3: policy is 'random', and line 2 says 'jsq'; it must be said once",
                "f:4: upstream-api-key is a secret, which does not belong in this file; it must be in "
                    + "ALADDIN_UPSTREAM_API_KEY, or in a file named by upstream-api-key-file",
                "f:5:  is '3', but there is no such setting; `aladdin config show` lists those there are",
            ]
        )
        #expect(!faults.joined().contains("hush"))
    }

    @Test("A secret in the environment is not shown, however wrong")
    func secrets() throws {
        let setting = try #require(SettingTable["upstream-api-key"])
        let fault = ConfigurationFault(setting, "hush-hush", .environment, "shorter")
        #expect(!fault.description.contains("hush"))
        #expect(fault.description.contains("ALADDIN_UPSTREAM_API_KEY"))
    }

    @Test("A file that cannot be read says which and why", arguments: ["/nowhere/aladdin.yaml", "/tmp"])
    func unreadable(path: String) {
        #expect {
            _ = try ConfigurationFile.load(path)
        } throws: {
            "\($0)".contains("--config is '\(path)'") && "\($0)".contains("it must be a file of settings")
        }
    }
}
