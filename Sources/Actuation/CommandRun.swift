internal import Foundation
internal import Glibc
internal import Synchronization

/// One run of a command, followed on a thread of its own.
///
/// What a program has started and left running keeps its output open after its end. So the end is heard of otherwise, and
/// the output goes on being read, lest what was left should fail because nobody listens.
struct CommandRun {
    /// One of the program's outputs, and as much of it as is kept.
    private struct Output {
        var descriptor: CInt
        var kept: [UInt8] = []

        /// Takes what is there; of what never ceases only so much.
        mutating func read() {
            var piece = [UInt8](repeating: 0, count: 4096)
            for _ in 0..<Command.outputLimit / piece.count where descriptor >= 0 {
                let count = Glibc.read(descriptor, &piece, piece.count)
                if count > 0, kept.count < Command.outputLimit { kept += piece[..<count] }
                if count < 0 { return }
                if count == 0 { end() }
            }
        }

        mutating func end() {
            if descriptor >= 0 { close(descriptor) }
            descriptor = -1
        }

        var text: String { String(decoding: kept, as: UTF8.self) }
    }

    private let command: Command
    private let id: pid_t
    private let exit = ExitSignal()
    private var output: Output
    private var errors: Output
    /// At its end once the program has ended.
    private let end: CInt
    private var hasEnded = false
    private var isTooSlow = false

    /// Returns when nobody has the program's outputs any more; `tell` is called when the program itself has ended.
    static func follow(_ command: Command, _ tell: (Result<String, any Error>) -> Void) {
        do throws(ActuationError) {
            var run = try CommandRun(command)
            run.awaitEnd()
            tell(Result { try run.outcome() })
            run.listen()
        } catch {
            tell(.failure(error))
        }
    }

    private init(_ command: Command) throws(ActuationError) {
        let (ended, id, output, errors) = try Self.spawning.withLock { _ throws(ActuationError) in
            let ended = try Self.pipe()
            let (id, output, errors) = try Self.spawn(command)
            return (ended, id, output, errors)
        }
        (self.command, self.id, end) = (command, id, ended.read)
        self.output = Output(descriptor: output)
        self.errors = Output(descriptor: errors)
        Thread.detachNewThread { [exit] in
            var status: CInt = 0
            while waitpid(id, &status, 0) < 0, errno == EINTR {}
            // As shells say it: the code it ended with, or 128 and the signal.
            let signal = status & 0x7F
            exit.raise(signal == 0 ? status >> 8 & 0xFF : 128 + signal)
            close(ended.write)
        }
    }

    /// Held from when a pipe is made until it is sure to stay here, lest another program get hold of it.
    private static let spawning = Mutex(())

    private static func spawn(
        _ command: Command
    ) throws(ActuationError) -> (id: pid_t, output: CInt, errors: CInt) {
        let (output, errors) = (try pipe(), try pipe())
        defer { for pipe in [output, errors] { close(pipe.write) } }
        do throws(ActuationError) {
            return (try command.spawn(output: output.write, errors: errors.write), output.read, errors.read)
        } catch {
            for pipe in [output, errors] { close(pipe.read) }
            throw error
        }
    }

    private mutating func awaitEnd() {
        let deadline = ContinuousClock.now + command.patience
        defer { close(end) }
        while !hasEnded {
            let rest = ContinuousClock.now.duration(to: deadline)
            if rest <= .zero {
                isTooSlow = true
                kill(id, SIGKILL)
                wait(milliseconds: -1)
            } else {
                wait(milliseconds: CInt(clamping: rest.components.seconds * 1000 + 1000))
            }
        }
    }

    private mutating func listen() {
        while output.descriptor >= 0 || errors.descriptor >= 0 { wait(milliseconds: -1) }
    }

    private func outcome() throws -> String {
        let status = exit.status ?? 0
        guard status == 0 else {
            let last = errors.text.split(separator: "\n").last.map { ": \($0)" } ?? ""
            let words = ([command.executable] + command.arguments.prefix(1)).joined(separator: " ")
            let end = isTooSlow ? "was not done within \(command.patience)" : "ended with \(status)"
            throw ActuationError("\(words) \(end)\(last)")
        }
        return output.text
    }

    /// Until there is something to read, which is read; the end last, when all that came before it has been.
    private mutating func wait(milliseconds: CInt) {
        let descriptors = [output.descriptor, errors.descriptor, hasEnded ? -1 : end]
        var waiting = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        guard poll(&waiting, nfds_t(waiting.count), milliseconds) > 0 else { return }
        output.read()
        errors.read()
        if waiting[2].revents != 0 { hasEnded = true }
    }

    /// Closed in programs that are started, and never waited for where it is read.
    private static func pipe() throws(ActuationError) -> (read: CInt, write: CInt) {
        var ends: [CInt] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else {
            throw ActuationError("no command can be run: \(String(cString: strerror(errno)))")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        return (ends[0], ends[1])
    }
}
