package import ZeroMQ

/// A principal's secret key on disk, as clients in any language can read it.
///
/// Lines of a word, a space and a value; lines that begin with `#` are remarks.
///
/// ```
/// # Secret key of frontend alice. Keep it to yourself.
/// name alice
/// role frontend
/// public_key rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7
/// secret_key JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6
/// server_key f3Zu.Q[%XS4tS5sTrZ3QL(CbQ0p>>#fCOa[6mR^Q
/// ```
///
/// The broker's own key files have no `server_key`: there, `public_key` is what others call it.
package struct SecretKeyFile: Hashable, Sendable {
    package var name: String
    package var role: Role?
    package var keys: CurveKeyPair
    /// The key of the endpoint that this one is good for.
    package var server: CurveKey?

    package init(name: String, role: Role?, keys: CurveKeyPair, server: CurveKey? = nil) {
        self.name = name
        self.role = role
        self.keys = keys
        self.server = server
    }

    package var text: String {
        var lines = ["# Secret key of \(role.map { "\($0) " } ?? "")\(name). Keep it to yourself.", "name \(name)"]
        if let role { lines.append("role \(role)") }
        lines.append("public_key \(keys.publicKey)")
        lines.append("secret_key \(keys.secretKey.reveal())")
        if let server { lines.append("server_key \(server)") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Reads the text; values are never part of an error.
    package init(text: String) throws(AccessError) {
        var values: [String: String] = [:]
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard let space = line.firstIndex(of: " ") else {
                throw AccessError("line \(index + 1) is not a word, a space and a value")
            }
            values[String(line[..<space])] = String(line[line.index(after: space)...])
        }
        guard let secretKey = values["secret_key"].flatMap({ CurveSecretKey($0) }),
            let keys = CurveKeyPair(secretKey: secretKey)
        else { throw AccessError("secret_key is missing or is not 40 characters of Z85") }
        if let written = values["public_key"], written != keys.publicKey.description {
            throw AccessError("public_key does not belong to secret_key")
        }
        let role = values["role"].map { Role(rawValue: $0) }
        if case .some(nil) = role { throw AccessError("role is none of \(Role.endpoints.map(\.rawValue))") }
        let server = values["server_key"].map { CurveKey($0) }
        if case .some(nil) = server { throw AccessError("server_key is not 40 characters of Z85") }
        self.init(name: values["name"] ?? "", role: role ?? nil, keys: keys, server: server ?? nil)
    }
}
