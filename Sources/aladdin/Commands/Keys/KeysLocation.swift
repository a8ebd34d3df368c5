internal import AccessControl
internal import ArgumentParser

/// Where the keys are.
struct KeysLocation: ParsableArguments {
    @Option(help: "The directory of keys. (default: what ALADDIN_KEYS says)")
    var keys: String?

    func directory() throws -> KeyDirectory {
        guard let path = try Setting.resolve(keys, "keys") else {
            throw ValidationError("say where the keys are: --keys DIR, or ALADDIN_KEYS")
        }
        return KeyDirectory(path: path)
    }

    func existingDirectory() throws -> KeyDirectory {
        let directory = try directory()
        guard directory.exists else {
            throw AccessError("there are no keys in \(directory.path); make them with: aladdin keys init")
        }
        return directory
    }
}
