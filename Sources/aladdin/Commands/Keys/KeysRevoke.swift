internal import AccessControl
internal import ArgumentParser
internal import Foundation

struct KeysRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Takes somebody's rights away, for good; a running broker ends their sessions within about a second."
    )

    @Argument(help: "Whose.")
    var name: String

    @OptionGroup var location: KeysLocation

    func run() async throws {
        let directory = try location.existingDirectory()
        let principal = try directory.revoke(name, at: Int(Date().timeIntervalSince1970))
        Terminal.complain(principal.isRevoked ? "\(name) was revoked before" : "\(name) is revoked")
    }
}
