internal import Foundation

/// Does independent work on all processors.
enum Workforce {
    /// Answers each question on some processor, the first first.
    ///
    /// - Parameters:
    ///   - isSerial: one after the other.
    ///   - finished: is told of each answer, one at a time, as soon as it is there.
    static func perform<Finding: Sendable>(
        _ questions: [Question<Finding>],
        onOne isSerial: Bool,
        _ answer: @escaping @Sendable (Question<Finding>) throws -> Finding,
        finished: (Question<Finding>, Finding) throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: (Question<Finding>, Finding).self) { group in
            var open = questions[...]
            for _ in 0..<(isSerial ? 1 : max(1, ProcessInfo.processInfo.activeProcessorCount)) {
                guard let question = open.popFirst() else { break }
                group.addTask { (question, try answer(question)) }
            }
            while let (question, finding) = try await group.next() {
                try finished(question, finding)
                if let next = open.popFirst() { group.addTask { (next, try answer(next)) } }
            }
        }
    }
}

/// Says on standard error how far a section is.
struct Progress: Sendable {
    private let section: String
    private let total: Int
    private let counter: Counter

    /// Shared by the tasks that answer questions.
    private final class Counter: @unchecked Sendable {
        private let lock = NSLock()
        private var value: Int

        init(_ value: Int) { self.value = value }

        func next() -> Int {
            lock.withLock {
                value += 1
                return value
            }
        }
    }

    init(section: String, total: Int, done: Int) {
        self.section = section
        self.total = total
        counter = Counter(done)
        if done > 0 { say("\(done) of \(total) answered before") }
    }

    func begin(_ question: String) { say("begins \(question)") }

    func end(_ question: String) { say("\(counter.next()) of \(total): \(question)") }

    func finish() { say("done") }

    private func say(_ text: String) {
        FileHandle.standardError.write(Data("\(section): \(text)\n".utf8))
    }
}
