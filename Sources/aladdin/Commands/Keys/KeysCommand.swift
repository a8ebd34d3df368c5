internal import ArgumentParser

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Makes, lists and revokes the keys by which broker and gateway know their peers.",
        discussion: """
            Keys lie in a directory that broker and gateway are given, too: --keys DIR, or ALADDIN_KEYS. These commands \
            alone take ~/.local/state/aladdin/keys where nobody says. Everybody has a key of their own, which is good for \
            one role. What is revoked is refused within about a second, also on connections that live.
            """,
        subcommands: [KeysInit.self, KeysNew.self, KeysList.self, KeysRevoke.self]
    )
}
