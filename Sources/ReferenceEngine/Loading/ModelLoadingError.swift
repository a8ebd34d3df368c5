/// Why a model could not be loaded: which file, what is wrong with it, what was expected instead.
package struct ModelLoadingError: Error, Hashable, CustomStringConvertible {
    /// The file's path, or its name where it is embedded.
    package var file: String
    /// What is wrong: names the tensor, field or token.
    package var problem: String
    /// What a loadable file would have; empty where the problem says it all.
    package var expected: String

    package init(file: String, problem: String, expected: String = "") {
        self.file = file
        self.problem = problem
        self.expected = expected
    }

    package var description: String {
        expected.isEmpty ? "\(file): \(problem)" : "\(file): \(problem); expected \(expected)"
    }
}
