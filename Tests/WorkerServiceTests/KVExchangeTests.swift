import Foundation
import ServingModel
import Testing
import WorkerService

@Suite("The directory in which KV caches change hands")
struct KVExchangeTests {
    private final class Scratch {
        let path = FileManager.default.temporaryDirectory.appending(path: "kv-\(UUID().uuidString)").path

        deinit { try? FileManager.default.removeItem(atPath: path) }

        var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }
    }

    private let scratch = Scratch()

    private func leave(_ exchange: KVExchange, _ pieces: [[UInt8]], form: String = "f") throws -> (String, Int) {
        let left = try exchange.leave(form: form) { (write) throws(Status) in
            for piece in pieces {
                var failure: Status?
                piece.withUnsafeBytes { bytes in
                    do throws(Status) { try write(bytes) } catch { failure = error }
                }
                if let failure { throw failure }
            }
        }
        return (left.name, left.bytes)
    }

    private func refusal(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? Status)?.message
        }
    }

    @Test("What one leaves another takes, once")
    func once() throws {
        let exchange = try KVExchange(directory: scratch.path)
        let other = try KVExchange(directory: scratch.path)
        #expect(exchange.name(form: "f") == other.name(form: "f"))
        #expect(exchange.name(form: "f") != other.name(form: "g"))
        let (name, bytes) = try leave(exchange, [[1, 2, 3], [], [4]])
        #expect(bytes == 4 && other.contains(name))
        #expect(try other.take(name, form: "f") == [1, 2, 3, 4])
        #expect(!exchange.contains(name) && scratch.files.isEmpty)
        #expect(refusal { _ = try other.take(name, form: "f") } == "the KV cache is no longer there")
    }

    @Test("What was left for another model or version is not taken, and is not kept either")
    func otherForm() throws {
        let exchange = try KVExchange(directory: scratch.path)
        let (name, _) = try leave(exchange, [[1]], form: "f")
        let message = refusal { _ = try exchange.take(name, form: "g") }
        #expect(message?.hasSuffix("was left by another version, or for another model") == true)
        #expect(scratch.files.isEmpty)
    }

    @Test(
        "A name that leads elsewhere leads nowhere",
        arguments: ["", "../../etc/passwd", "a/b", String(repeating: "Z", count: 32)]
    )
    func wrongNames(name: String) throws {
        let exchange = try KVExchange(directory: scratch.path)
        #expect(refusal { _ = try exchange.take(name, form: "f") } == "that is no name of a KV cache")
        #expect(!exchange.contains(name))
    }

    @Test("What can't be written to its end is not there")
    func failedExport() throws {
        let exchange = try KVExchange(directory: scratch.path)
        let message = refusal {
            _ = try exchange.leave(form: "f") { (_) throws(Status) in throw Status(.internalError, .engineFailed, "no")
            }
        }
        #expect(message == "no" && scratch.files.isEmpty)
    }

    @Test("Only files of this kind that are old enough are swept away")
    func sweep() throws {
        let exchange = try KVExchange(directory: scratch.path)
        let (name, _) = try leave(exchange, [[1]])
        try Data([1]).write(to: URL(filePath: scratch.path + "/mine.txt"))
        #expect(exchange.sweep() == 0 && exchange.contains(name))
        #expect(exchange.sweep(olderThan: 0) == 1)
        #expect(scratch.files == ["mine.txt"])
    }

    @Test("A directory that others could read, or that is none, is refused in words")
    func wrongDirectories() throws {
        _ = try KVExchange(directory: scratch.path)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: scratch.path)
        #expect(refusal { _ = try KVExchange(directory: scratch.path) }?.contains("chmod 700") == true)
        #expect(refusal { _ = try KVExchange(directory: "/nowhere/at/all") }?.contains("can't be made") == true)
        #expect(refusal { _ = try KVExchange(directory: "/dev/null") }?.contains("is not a directory") == true)
    }
}
