internal import Foundation
internal import Messages
internal import Testing

extension IntegrationTests {
    /// The gateway over TLS, with a certificate that the test makes as an operator would.
    @Suite struct TLS {
        private struct Identity {
            var certificate: String
            var key: String
        }

        private func makeIdentity(_ files: borrowing TemporaryDirectory, _ name: String) async throws -> Identity {
            let identity = Identity(certificate: files.path("\(name).pem"), key: files.path("\(name).key"))
            let made = try await Run.command(
                "/usr/bin/openssl",
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
                    "-keyout", identity.key, "-out", identity.certificate,
                ]
            )
            try #require(made.code == 0, "\(made.errors)")
            return identity
        }

        private func curl(_ arguments: String...) async throws -> Run {
            try await Run.command("/usr/bin/curl", ["-sS", "--max-time", "60"] + arguments)
        }

        @Test func `Queries are answered over TLS to who trusts the certificate, and to nobody else`() async throws {
            let files = try TemporaryDirectory()
            let identity = try await makeIdentity(files, "gateway")
            let service = try await Service.up(
                "--tls-certificate",
                identity.certificate,
                "--tls-key",
                identity.key,
                workers: 1
            )
            #expect(service.url.hasPrefix("https://127.0.0.1:"), "\(service.url)")
            let chat = "\(service.url)/v1/chat/completions"
            let trusted = ["--cacert", identity.certificate]
            let body = HTTP.chat("Tell me a story.", #""max_tokens": 8, "temperature": 0"#)

            let whole = try await curl(trusted[0], trusted[1], "-w", "\n%{http_version} %{http_code}", "-d", body, chat)
            #expect(whole.code == 0 && whole.output.hasSuffix("\n1.1 200"), "\(whole.output) \(whole.errors)")
            #expect(whole.output.contains("\"content\""))
            let offered = try await curl(
                trusted[0],
                trusted[1],
                "--http2",
                "-w",
                "%{http_version}",
                "\(service.url)/health"
            )
            #expect(offered.code == 0 && offered.output.hasSuffix("1.1"), "\(offered.output) \(offered.errors)")
            let stream = try await curl(
                trusted[0],
                trusted[1],
                "-N",
                "-d",
                HTTP.chat("Tell me a story.", #""stream": true, "max_tokens": 8"#),
                chat
            )
            #expect(stream.code == 0 && stream.output.contains("data: [DONE]"), "\(stream.errors)")

            let stranger = try await curl("-d", body, chat)
            #expect(stranger.code == 60, "a certificate that nobody vouches for: \(stranger.errors)")
            let old = try await curl(trusted[0], trusted[1], "--tls-max", "1.1", "\(service.url)/health")
            #expect(old.code == 35, "TLS 1.1 is too old: \(old.code) \(old.errors)")
            let plain = try await curl(service.url.replacingOccurrences(of: "https", with: "http") + "/health")
            #expect(plain.code != 0, "plain HTTP is not served there: \(plain.output)")
            let again = try await curl(trusted[0], trusted[1], "\(service.url)/ready")
            #expect(again.code == 0 && again.output.contains("\"ready\""))

            service.process.kill(SIGINT)
            #expect(try await service.process.exitCode() == 0, "\(service.process.transcript)")
        }

        @Test func `Files that are missing, wrong or not each other's are named with what would be right`() async throws
        {
            let files = try TemporaryDirectory()
            let identity = try await makeIdentity(files, "gateway")
            let other = try await makeIdentity(files, "other")
            let open = files.path("open.key")
            try FileManager.default.copyItem(atPath: identity.key, toPath: open)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: open)
            let nothing = try files.write("no certificate\n", to: "nothing.pem")
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: nothing)
            let (good, key) = (identity.certificate, identity.key)
            let cases: [(certificate: String?, key: String?, words: String)] = [
                (good, nil, "--tls-certificate is '\(good)', but tls-key is missing; both must be given"),
                (nil, key, "--tls-key is '\(key)', but tls-certificate is missing; both must be given"),
                (
                    "/nowhere.pem", key,
                    "--tls-certificate is '/nowhere.pem', which does not exist; it must be a file with a certificate in PEM"
                ),
                (
                    good, "/nowhere.key",
                    "--tls-key is '/nowhere.key', which does not exist; it must be a file with the certificate's private key"
                ),
                (nothing, key, "--tls-certificate is '\(nothing)', which has no certificate"),
                (good, nothing, "--tls-key is '\(nothing)', which has no private key"),
                (good, other.key, "--tls-key is '\(other.key)', which is not the key of the certificate in \(good)"),
                (good, open, "--tls-key is '\(open)', which may be read by everybody (mode 644)"),
            ]
            for wrong in cases {
                var arguments = ["gateway", "--http", "127.0.0.1:0"] + Endpoints().flags
                if let path = wrong.certificate { arguments += ["--tls-certificate", path] }
                if let path = wrong.key { arguments += ["--tls-key", path] }
                let run = try await Run.aladdin(arguments)
                #expect(run.code == 2 && run.errors.contains(wrong.words), "\(run.code) \(run.errors)")
                #expect(run.errors.split(separator: "\n").count == 1)
            }
        }
    }
}
