internal import Foundation

/// A section of the document, whatever kind of findings it has.
protocol Section: Sendable {
    var name: String { get }
    /// Answers the questions that are asked for and not answered yet.
    func answer(_ arguments: Arguments) async throws
    /// The section as it can be written from the findings that there are; nil without any.
    func chapter(root: String) throws -> Chapter?
}

/// What a question is called: by its policy, if it is about one, and everything else that tells it from others.
struct QuestionKey: Hashable, Sendable {
    let policy: String
    let text: String

    init(_ parts: String..., policy: String = "") {
        self.policy = policy
        text = (parts + (policy.isEmpty ? [] : [policy])).joined(separator: " ")
    }
}

/// A simulation, or several, that answers one question of a study.
struct Question<Finding: Sendable>: Sendable {
    let key: QuestionKey
    let answer: @Sendable () throws -> Finding

    init(_ key: QuestionKey, answer: @escaping @Sendable () throws -> Finding) {
        self.key = key
        self.answer = answer
    }
}

/// Questions that belong together, and the words around their answers.
protocol Study: Sendable {
    associatedtype Finding: Codable & Sendable

    static var name: String { get }
    /// Whether its questions want the machine for themselves, one after the other.
    static var isSerial: Bool { get }
    /// Independent of each other; each is answered on one processor.
    func questions(_ scope: Scope) throws -> [Question<Finding>]
    func chapter(_ findings: Findings<Finding>) throws -> Chapter
}

extension Study {
    static var isSerial: Bool { false }
}

/// What a study has found so far.
struct Findings<Finding: Codable & Sendable>: Codable, Sendable {
    var scope: Scope
    var seeds: [UInt64]
    /// What repeats it.
    var command: String
    var answers: [String: Finding] = [:]

    subscript(key: QuestionKey) -> Finding? { answers[key.text] }
}

/// A study as a section: its questions are answered on all processors, and the findings kept in a file.
struct StudySection<Asked: Study>: Section {
    let study: Asked

    init(_ study: Asked) { self.study = study }

    var name: String { Asked.name }

    func answer(_ arguments: Arguments) async throws {
        let file = FindingsFile<Asked.Finding>(root: arguments.root, section: name, scope: arguments.scope)
        // What is asked again may have been answered in an older form.
        let known = arguments.asksAgain ? try? file.read() : try file.read()
        var findings =
            known
            ?? Findings(
                scope: arguments.scope,
                seeds: arguments.scope.seeds,
                command: "\(arguments.scope.command) --section \(name)"
            )
        let questions = try study.questions(arguments.scope).filter { arguments.wants($0.key) }
        let open = questions.filter { arguments.asksAgain || findings[$0.key] == nil }
        let progress = Progress(section: name, total: questions.count, done: questions.count - open.count)
        guard !open.isEmpty else { return progress.finish() }
        try await Workforce.perform(open, onOne: Asked.isSerial) { question in
            progress.begin(question.key.text)
            return try question.answer()
        } finished: { question, finding in
            findings.answers[question.key.text] = finding
            try file.write(findings)
            progress.end(question.key.text)
        }
        progress.finish()
    }

    func chapter(root: String) throws -> Chapter? {
        // The thorough findings where there are any.
        for scope in [Scope.full, .short] {
            let file = FindingsFile<Asked.Finding>(root: root, section: name, scope: scope)
            guard let findings = try file.read(), !findings.answers.isEmpty else { continue }
            return try study.chapter(findings)
        }
        return nil
    }
}
