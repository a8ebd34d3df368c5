internal import AccessControl
internal import ArgumentParser
internal import Foundation

struct KeysNew: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Lets somebody new in.",
        discussion: """
            Prints the path of the secret key's file, to be brought to where it is used; for the role http the API key \
            itself, which is kept nowhere. Makes the directory if there is none yet.
            """
    )

    @Argument(help: "What to call its owner: \(Principal.nameRule). Names are never used again.")
    var name: String

    @Option(help: "What it is good for: \(Role.allCases.map(\.rawValue).joined(separator: ", ")).")
    var role: String

    @Option(help: "The tenant it speaks for. (default: its own name for frontend and http; any for admin)")
    var tenant: String?

    @Flag(help: "It may speak for any tenant, as a gateway does.")
    var anyTenant = false

    @Option(help: "Until when it is good: 90d, 12h or a day's beginning, 2027-01-31. (default: until revoked)")
    var expires: String?

    @OptionGroup var location: KeysLocation

    func run() async throws {
        guard let role = Role(rawValue: role) else {
            throw ValidationError(
                "--role is '\(role)'; it must be one of: \(Role.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        guard Principal.isName(name) else {
            throw ValidationError("NAME is '\(name)'; it must be \(Principal.nameRule)")
        }
        guard tenant == nil || !anyTenant else { throw ValidationError("give --tenant or --any-tenant, not both") }
        let now = Int(Date().timeIntervalSince1970)
        let expiry = try expires.map { try KeyExpiry.time($0, now: now) }
        let directory = try location.directory(isToBeMade: true)
        if !directory.exists, try directory.initialise() { Terminal.complain("made \(directory.path)") }
        switch try directory.add(name, role: role, tenant: tenant(for: role), at: now, expires: expiry) {
        case .file(let path):
            Terminal.complain("the secret key of \(role.rawValue) \(name) is in")
            Terminal.write(path + "\n")
        case .apiKey(let key):
            Terminal.complain("the API key of \(name); it is shown this once and kept nowhere:")
            Terminal.write(key.text + "\n")
        }
    }

    private func tenant(for role: Role) -> String? {
        if let tenant { return tenant }
        switch role {
        case .frontend, .http: return anyTenant ? nil : name
        case .worker, .scheduler, .admin: return nil
        }
    }
}
