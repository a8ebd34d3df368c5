internal import Foundation

/// The terminal while a program draws on the whole of it: a screen of its own, keys at once and unseen.
struct InteractiveTerminal: ~Copyable {
    private let saved: termios

    private init(restoring saved: termios) {
        self.saved = saved
    }

    /// Takes the terminal over; nil unless standard input and output are one.
    static func takeOver() -> InteractiveTerminal? {
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1 else { return nil }
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        let saved = settings
        // Ctrl-C comes as a key, too, so that the screen is given back before the program ends.
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        guard tcsetattr(STDIN_FILENO, TCSANOW, &settings) == 0 else { return nil }
        Terminal.write("\u{1B}[?1049h\u{1B}[?25l")
        return InteractiveTerminal(restoring: saved)
    }

    deinit {
        Terminal.write("\u{1B}[?25h\u{1B}[?1049l")
        var settings = saved
        _ = tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    }

    /// Replaces what is shown.
    func show(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        Terminal.write("\u{1B}[H" + lines.map { "\($0)\u{1B}[K" }.joined(separator: "\r\n") + "\u{1B}[J")
    }

    /// Whether a key that ends the program is pressed within that time; it ends with its input, too.
    func isAskedToQuit(within milliseconds: Int32) -> Bool {
        var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, milliseconds) > 0 else { return false }
        var keys = [UInt8](repeating: 0, count: 64)
        let count = read(STDIN_FILENO, &keys, keys.count)
        let (controlC, controlD): (UInt8, UInt8) = (3, 4)
        return count <= 0
            || keys[..<count].contains { [UInt8(ascii: "q"), UInt8(ascii: "Q"), controlC, controlD].contains($0) }
    }

    /// Columns and rows.
    static var size: (columns: Int, rows: Int) {
        var window = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
            return (100, Int.max)
        }
        return (Int(window.ws_col), Int(window.ws_row))
    }
}
