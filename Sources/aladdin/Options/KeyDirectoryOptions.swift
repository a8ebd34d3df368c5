internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import Logging
internal import ServiceLifecycle
internal import ZeroMQ

/// Whom a broker or gateway lets in.
struct KeyDirectoryOptions: ParsableArguments {
    @Option(help: "Directory of keys, made by `aladdin keys init`; only their owners get in then. (default: none)")
    var keys: String?

    @Flag(help: "Listen where others can reach it although nobody is asked for a key. Only for networks you trust.")
    var insecureBind = false

    /// A key directory as a broker uses it.
    struct Opened {
        var directory: KeyDirectory
        var table: AccessTable
        var serverKeys: [Role: CurveKeyPair]

        /// Keys for a part of this very process.
        func admit(_ name: String, as role: Role) -> PeerKeys? {
            serverKeys[role].map { PeerKeys(own: table.admit(name, as: role), server: $0.publicKey) }
        }
    }

    /// - Throws: `AccessError` if there is none where one is said to be.
    func directory() throws -> KeyDirectory? {
        guard let path = try Setting.resolve(keys, "keys") else { return nil }
        let directory = KeyDirectory(path: path)
        guard directory.exists else {
            throw AccessError("there are no keys in \(path); make them with: aladdin keys init --keys \(path)")
        }
        return directory
    }

    func open() throws -> Opened? {
        guard let directory = try directory() else { return nil }
        return Opened(
            directory: directory,
            table: AccessTable(try directory.registry()),
            serverKeys: try directory.serverKeys()
        )
    }

    /// The table of a gateway, which needs none of the directory's secrets.
    static func table(of directory: KeyDirectory?) throws -> AccessTable? {
        try directory.map { AccessTable(try $0.registry()) }
    }

    /// What keeps the table at the state of the directory.
    static func followers(_ directory: KeyDirectory?, _ table: AccessTable?, _ logger: Logger) -> [any Service] {
        guard let directory, let table else { return [] }
        return [RegistryFollower(directory: directory, table: table, logger: logger)]
    }

    func bindsInsecurely() throws -> Bool {
        try Setting.flag(insecureBind, "insecure-bind")
    }
}
