internal import AccessControl
internal import AladdinClient
internal import ArgumentParser
internal import Foundation
internal import Messages
internal import ServiceSettings
internal import ServingModel
internal import UnixSignals

struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Shows the cluster as it is now, again and again, until q or Ctrl-C.",
        discussion: "Where its output is no terminal it prints one picture and ends."
    )

    @Flag(help: "Print one picture and end.")
    var once = false

    @Option(
        parsing: .unconditional,
        help: "Seconds between pictures, from 0.1 to 3600. (default: 1)",
        transform: SettingForm.number(0.1...3600, of: "seconds").argument
    )
    var intervalS = 1.0

    @OptionGroup var endpoints: PeerOptions
    @OptionGroup var key: KeyOptions

    func run() async throws {
        let key = try key.clientKey(for: .admin)
        let endpoint = try endpoints.admin()
        let first: ClusterStatus
        do throws(Status) {
            first = try await Self.ask(endpoint, key)
        } catch {
            Terminal.complain(error.message)
            if let hint = KeyOptions.diagnosis(of: error, at: endpoint, key) { Terminal.complain(hint) }
            throw ExitCode(error.code == .invalidArgument ? 2 : 1)
        }
        let isPlain = ProcessInfo.processInfo.environment["NO_COLOR"]?.isEmpty == false
        guard !once, let terminal = InteractiveTerminal.takeOver() else {
            let isTerminal = isatty(STDOUT_FILENO) == 1
            var screen = ClusterScreen(current: .init(status: first, time: Self.now))
            screen.columns = isTerminal ? InteractiveTerminal.size.columns : 120
            screen.rows = Int.max / 2
            screen.style = TextStyle(isPlain: isPlain || !isTerminal)
            Terminal.write(screen.text + "\n")
            return
        }
        await draw(on: terminal, from: first, endpoint, key, TextStyle(isPlain: isPlain))
    }

    /// Asks and draws until a key or a signal ends it.
    ///
    /// A broker that goes is waited for.
    private func draw(
        on terminal: borrowing InteractiveTerminal,
        from first: ClusterStatus,
        _ endpoint: String,
        _ key: ClientKey?,
        _ style: TextStyle
    ) async {
        let stopped = StopSignal()
        let signals = Task {
            for await _ in await UnixSignalsSequence(trapping: .sigterm, .sighup) { stopped.raise() }
        }
        defer { signals.cancel() }
        var screen = ClusterScreen(current: .init(status: first, time: Self.now), style: style)
        var trouble: String?
        while true {
            (screen.columns, screen.rows) = InteractiveTerminal.size
            screen.rows -= 1
            terminal.show(screen.text + (trouble.map { "\n\($0); shown is what was last heard" } ?? ""))
            let next = Self.now + intervalS
            repeat {
                if stopped.isRaised || terminal.isAskedToQuit(within: 100) { return }
            } while Self.now < next
            do throws(Status) {
                let status = try await Self.ask(endpoint, key)
                screen.previous = screen.current
                screen.current = .init(status: status, time: Self.now)
                trouble = nil
            } catch {
                trouble = error.message
            }
        }
    }

    private static func ask(_ endpoint: String, _ key: ClientKey?) async throws(Status) -> ClusterStatus {
        try await AdminClient(endpoint: endpoint, key: key, logger: .silent).status()
    }

    private static var now: Double { ProcessInfo.processInfo.systemUptime }
}
