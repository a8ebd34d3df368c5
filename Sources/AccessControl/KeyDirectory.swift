internal import Glibc
package import ZeroMQ

/// Where keys are kept.
///
/// ```
/// DIR/registry.json          who may do what; nothing secret
/// DIR/server/ROLE.key        the broker's four key pairs, one for each endpoint; secret
/// DIR/NAME.key               a principal's key, to be taken to where it is used; secret
/// ```
package struct KeyDirectory: Hashable, Sendable {
    package let path: String

    package init(path: String) {
        self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    package var registryPath: String { "\(path)/registry.json" }
    package func serverKeyPath(_ role: Role) -> String { "\(path)/server/\(role).key" }
    package func keyPath(_ name: String) -> String { "\(path)/\(name).key" }

    package var exists: Bool { access(registryPath, F_OK) == 0 }

    /// Makes the directory, the broker's keys and an empty registry, whatever of that is missing.
    ///
    /// - Returns: whether anything was.
    @discardableResult
    package func initialise() throws(AccessError) -> Bool {
        try makeDirectory(path)
        return try exclusively { () throws(AccessError) in
            var isNew = false
            try makeDirectory("\(path)/server")
            for role in Role.endpoints where access(serverKeyPath(role), F_OK) != 0 {
                let file = SecretKeyFile(name: "broker", role: role, keys: CurveKeyPair())
                try ProtectedFile.create(serverKeyPath(role), file.text, mode: 0o600)
                isNew = true
            }
            guard !exists else { return isNew }
            try ProtectedFile.replace(registryPath, RegistryFile.encode(AccessRegistry()), mode: 0o644)
            return true
        }
    }

    package func registry() throws(AccessError) -> AccessRegistry {
        let bytes = try ProtectedFile.read(registryPath)
        do throws(AccessError) {
            return try RegistryFile.decode(bytes)
        } catch {
            throw AccessError("\(registryPath) cannot be used: \(error)")
        }
    }

    /// The broker's own keys.
    package func serverKeys() throws(AccessError) -> [Role: CurveKeyPair] {
        var keys: [Role: CurveKeyPair] = [:]
        for role in Role.endpoints { keys[role] = try readKey(serverKeyPath(role)).keys }
        return keys
    }

    /// Lets somebody new in.
    ///
    /// - Parameter tenant: the one it speaks for, or nil for any.
    /// - Returns: the path of its secret key, or the API key, which is kept nowhere.
    package func add(
        _ name: String,
        role: Role,
        tenant: String?,
        at time: Int,
        expires: Int? = nil
    ) throws(AccessError) -> NewKey {
        try exclusively { () throws(AccessError) in
            var registry = try registry()
            guard role != .http else {
                let key = APIKey()
                try registry.add(
                    Principal(
                        name: name,
                        role: role,
                        tenant: tenant,
                        proof: .apiKey(key.digest),
                        created: time,
                        expires: expires
                    )
                )
                try write(registry)
                return .apiKey(key)
            }
            let keys = CurveKeyPair()
            try registry.add(
                Principal(
                    name: name,
                    role: role,
                    tenant: tenant,
                    proof: .curve(keys.publicKey),
                    created: time,
                    expires: expires
                )
            )
            let server = try readKey(serverKeyPath(role)).keys.publicKey
            let file = SecretKeyFile(name: name, role: role, keys: keys, server: server)
            try ProtectedFile.create(keyPath(name), file.text, mode: 0o600)
            do throws(AccessError) {
                try write(registry)
            } catch {
                unlink(keyPath(name))
                throw error
            }
            return .file(keyPath(name))
        }
    }

    /// Takes somebody's rights away; a running broker and gateway notice within about a second.
    package func revoke(_ name: String, at time: Int) throws(AccessError) -> Principal {
        try exclusively { () throws(AccessError) in
            var registry = try registry()
            let principal = try registry.revoke(name, at: time)
            try write(registry)
            return principal
        }
    }

    private func write(_ registry: AccessRegistry) throws(AccessError) {
        try ProtectedFile.replace(registryPath, RegistryFile.encode(registry), mode: 0o644)
    }

    private func readKey(_ path: String) throws(AccessError) -> SecretKeyFile {
        let text = try ProtectedFile.readSecret(path)
        do throws(AccessError) {
            return try SecretKeyFile(text: text)
        } catch {
            throw AccessError("\(path): \(error)")
        }
    }

    private func makeDirectory(_ path: String) throws(AccessError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw ProtectedFile.failure("cannot make", path) }
    }

    /// Keeps two of these commands from overwriting each other's work.
    private func exclusively<Value>(_ work: () throws(AccessError) -> Value) throws(AccessError) -> Value {
        let lock = open("\(path)/.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw ProtectedFile.failure("cannot lock", path) }
        defer { close(lock) }
        while flock(lock, LOCK_EX) != 0 {
            guard errno == EINTR else { throw ProtectedFile.failure("cannot lock", path) }
        }
        return try work()
    }
}

/// What came of making a key.
package enum NewKey: Sendable {
    /// Where the secret key lies.
    case file(String)
    case apiKey(APIKey)
}
