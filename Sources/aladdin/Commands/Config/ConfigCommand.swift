internal import ArgumentParser

struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Checks and shows the settings of the long-running commands.",
        subcommands: [ConfigCheck.self, ConfigShow.self]
    )
}
