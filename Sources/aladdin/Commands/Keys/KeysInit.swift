internal import AccessControl
internal import ArgumentParser

struct KeysInit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Makes the directory, the broker's own keys and an empty registry, whatever of that is missing."
    )

    @OptionGroup var location: KeysLocation

    func run() async throws {
        let directory = try location.directory(isToBeMade: true)
        let isNew = try directory.initialise()
        Terminal.complain(
            isNew ? "made \(directory.path); keep it to yourself" : "nothing was missing in \(directory.path)"
        )
    }
}
