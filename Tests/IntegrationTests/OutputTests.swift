internal import Foundation
internal import Testing

extension IntegrationTests {
    /// Files and streams that commands write to.
    @Suite struct Outputs {
        private let files: TemporaryDirectory
        private let simulation: [String]

        init() throws {
            files = try TemporaryDirectory()
            let trace = try files.write("arrival_s,input_tokens,output_tokens\n0,5,5\n1,5,5\n", to: "trace.csv")
            let profile = try files.profile(stepMilliseconds: 10)
            simulation = ["simulate", "--trace", trace, "--profile", profile, "--workers", "1"]
        }

        private func records(in name: String) async throws -> Run {
            try await Run.aladdin(simulation + ["--records", files.path(name)])
        }

        private func kind(of name: String) throws -> FileAttributeType {
            let attributes = try FileManager.default.attributesOfItem(atPath: files.path(name))
            return attributes[.type] as? FileAttributeType ?? .typeUnknown
        }

        /// Runs the command with a shell's redirection at the end.
        private func shell(_ arguments: [String], _ redirection: String) async throws -> Run {
            try await Run.command("/bin/sh", ["-c", "\"$@\" \(redirection)", "sh", Executable.path] + arguments)
        }

        @Test func `What a link leads to is written, and the link stays`() async throws {
            try files.write("old", to: "there.csv")
            for (link, end) in [("link", "there.csv"), ("dangling", "new.csv")] {
                try FileManager.default.createSymbolicLink(atPath: files.path(link), withDestinationPath: end)
                let run = try await records(in: link)
                #expect(run.code == 0, "\(run.errors)")
                #expect(try kind(of: link) == .typeSymbolicLink)
                #expect(try String(contentsOfFile: files.path(end), encoding: .utf8).hasPrefix("query,arrival_s"))
            }
        }

        @Test func `A pipe is written to, and stays one`() async throws {
            #expect(mkfifo(files.path("pipe"), 0o600) == 0)
            let reader = ServiceProcess(executable: "/bin/cat", [files.path("pipe")])
            let run = try await records(in: "pipe")
            #expect(run.code == 0, "\(run.errors)")
            try await reader.line("query,arrival_s", in: \.output)
            #expect(try await reader.exitCode() == 0)
            var status = stat()
            #expect(lstat(files.path("pipe"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
        }

        @Test func `Standard output by its name comes before the answer, also in a file`() async throws {
            let run = try await shell(simulation + ["--records", "/dev/stdout"], "> '\(files.path("both"))'")
            #expect(run.code == 0, "\(run.errors)")
            let text = try String(contentsOfFile: files.path("both"), encoding: .utf8)
            #expect(text.hasPrefix("query,arrival_s") && text.contains("attainment"), "\(text)")
        }

        @Test(arguments: ["folder", "absent/records.csv", "folder/"])
        func `A file that can't be written is refused at once`(name: String) async throws {
            try FileManager.default.createDirectory(
                atPath: files.path("folder"),
                withIntermediateDirectories: false
            )
            let path = files.url.path + "/" + name
            let measurements = try files.write("nonsense", to: "measurements.csv")
            let calibration = ["calibrate", "--prefill-csv", measurements, "--decode-csv", measurements]
            for (arguments, option) in [
                (simulation, "--records"), (simulation, "--report"), (calibration, "--out"),
            ] {
                let run = try await Run.aladdin(arguments + [option, path])
                #expect(run.code == 2, "\(run.errors)")
                #expect(run.errors.contains("\(option) is '\(path)'"), "\(run.errors)")
            }
        }

        @Test func `One file is not to hold two things`() async throws {
            try FileManager.default.createSymbolicLink(atPath: files.path("link"), withDestinationPath: "one")
            for other in ["one", "link"] {
                let outputs = ["--records", files.path("one"), "--report", files.path(other)]
                let run = try await Run.aladdin(simulation + outputs)
                #expect(run.code == 2 && run.errors.contains("the same file"), "\(run.errors)")
            }
        }

        @Test(arguments: ["> /dev/full", ">&-"])
        func `An answer that nobody can get is a failure, in one line`(redirection: String) async throws {
            let keys = ["keys", "list", "--keys", files.path("keys")]
            let made = try await Run.aladdin("keys", "init", "--keys", files.path("keys"))
            #expect(made.code == 0, "\(made.errors)")
            for arguments in [["config", "show"], ["--help"], simulation, keys] {
                let run = try await shell(arguments, redirection)
                #expect(run.code == 1, "\(run.errors)")
                let lines = run.errors.split(separator: "\n")
                #expect(lines.count == 1 && lines[0].hasPrefix("aladdin: cannot write to standard output"), "\(lines)")
            }
        }

        @Test func `Whoever reads no further ends the command without words`() async throws {
            #expect(mkfifo(files.path("pipe"), 0o600) == 0)
            // Its one reader goes before the command comes.
            let script = "exec 3<>'\(files.path("pipe"))' 4>'\(files.path("pipe"))' 3<&-; \"$0\" config show >&4"
            let run = try await Run.command("/bin/sh", ["-c", script, Executable.path])
            #expect(run.code == 128 + SIGPIPE && run.errors.isEmpty, "\(run.code): \(run.errors)")
        }
    }
}
