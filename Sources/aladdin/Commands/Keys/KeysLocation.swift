internal import AccessControl
internal import ArgumentParser
internal import Foundation

/// Where the keys are.
struct KeysLocation: ParsableArguments {
    @Option(help: "The directory of keys. (default: what ALADDIN_KEYS says, else ~/.local/state/aladdin/keys)")
    var keys: String?

    /// - Parameter isToBeMade: makes what the usual place lies in.
    func directory(isToBeMade: Bool = false) throws -> KeyDirectory {
        if let path = try Setting.resolve(keys, "keys") { return KeyDirectory(path: path) }
        let directory = KeyDirectory(path: StateDirectory.path("keys"))
        let parent = URL(fileURLWithPath: directory.path).deletingLastPathComponent()
        if isToBeMade {
            do {
                try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
            } catch {
                throw AccessError("cannot make \(parent.path): \(error.localizedDescription); choose with --keys DIR")
            }
        }
        // No broker looks there by itself: one that nobody told of keys wants none.
        Terminal.complain(
            "the keys are in \(directory.path); broker and gateway heed them with --keys \(directory.path)"
        )
        return directory
    }

    func existingDirectory() throws -> KeyDirectory {
        let directory = try directory()
        guard directory.exists else {
            throw AccessError("there are no keys in \(directory.path); make them with: aladdin keys init")
        }
        return directory
    }
}
