internal import ArgumentParser
internal import Foundation

/// A file that a command writes where its user said, found to be writable before the work is done.
///
/// A file is replaced as a whole, so that nobody reads half of it; of a symbolic link that is the file it leads to. What
/// is no file, such as a pipe or a device, stays what it is: it is opened and written to.
struct OutputFile {
    private enum Way {
        case replaced
        case opened
        /// Opened once more it would have a place of its own to write at, and overwrite what else is printed.
        case standardOutput
    }

    /// As given.
    let path: String
    private let option: String
    /// Where symbolic links lead.
    private let target: String
    private let way: Way

    /// - Parameters:
    ///   - option: as on the command line, with its dashes.
    ///   - other: what the same command writes, too.
    /// - Throws: `ValidationError` that names the option and the path.
    init(_ path: String, option: String, besides other: OutputFile? = nil) throws {
        self.path = path
        self.option = option
        var status = stat()
        guard !path.isEmpty else { throw ValidationError("\(option) is empty; it must be a file to write") }
        if stat(path, &status) == 0 {
            way = try Self.way(to: path, status, option)
            target = way == .replaced ? Self.resolved(path) : path
        } else {
            guard errno == ENOENT, let end = Self.endOfLinks(path) else {
                throw ValidationError("\(option) is '\(path)', which cannot be written: \(Self.reason())")
            }
            way = .replaced
            target = try Self.absent(end, path, option)
        }
        if way == .replaced { try Self.checkFolder(of: target, path, option) }
        guard let other, other.target == target else { return }
        throw ValidationError("\(other.option) and \(option) are the same file, '\(path)'; give each its own")
    }

    /// - Throws: an `ExitCode`, once it is said that the text could not be written.
    func write(_ text: String) throws {
        do {
            switch way {
            case .replaced: try Data(text.utf8).write(to: URL(fileURLWithPath: target), options: .atomic)
            case .opened: try FileHandle(forWritingTo: URL(fileURLWithPath: target)).write(contentsOf: Data(text.utf8))
            case .standardOutput: Terminal.write(text)
            }
        } catch {
            Terminal.complain("cannot write \(option) \(path): \(error.localizedDescription)")
            throw ExitCode.failure
        }
    }

    private static func way(to path: String, _ status: stat, _ option: String) throws -> Way {
        let kind = status.st_mode & S_IFMT
        guard kind != S_IFDIR, kind != S_IFSOCK else {
            let what = kind == S_IFDIR ? "directory" : "socket"
            throw ValidationError("\(option) is '\(path)', a \(what); it must be a file to write")
        }
        var output = stat()
        if fstat(STDOUT_FILENO, &output) == 0, output.st_dev == status.st_dev, output.st_ino == status.st_ino {
            return .standardOutput
        }
        if kind == S_IFREG { return .replaced }
        guard access(path, W_OK) == 0 else {
            throw ValidationError("\(option) is '\(path)', which cannot be written: \(reason())")
        }
        return .opened
    }

    private static func resolved(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// What a path that is not there stands for, links that lead nowhere followed; nil if they never end.
    private static func endOfLinks(_ path: String) -> String? {
        var path = path
        for _ in 0..<40 {
            guard let next = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { return path }
            path = next.hasPrefix("/") ? next : folder(of: path) + "/" + next
        }
        return nil
    }

    /// The one spelling of a file that is yet to be made.
    private static func absent(_ end: String, _ path: String, _ option: String) throws -> String {
        guard let name = end.split(separator: "/").last, !end.hasSuffix("/") else {
            throw ValidationError("\(option) is '\(path)', a directory; it must be a file to write")
        }
        return resolved(folder(of: end)) + "/" + name
    }

    private static func checkFolder(of target: String, _ path: String, _ option: String) throws {
        let folder = folder(of: target)
        var status = stat()
        guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw ValidationError("\(option) is '\(path)', but there is no directory \(folder)")
        }
        guard access(folder, W_OK | X_OK) == 0 else {
            throw ValidationError("\(option) is '\(path)', but \(folder) cannot be written to: \(reason())")
        }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}
