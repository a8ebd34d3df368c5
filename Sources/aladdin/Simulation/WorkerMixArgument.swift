internal import ArgumentParser
internal import Foundation
internal import ServingModel
internal import Simulation

/// `--profile` as given: `PROFILE.json`, or `PROFILE.json:COUNT` where there are several kinds of workers.
struct WorkerMixArgument: Sendable {
    let mix: WorkerMix
    /// How many workers the arguments name; nil if they name no number.
    let count: Int?
    let paths: [String]

    /// - Throws: `ValidationError` that names the profile and what is wrong with it.
    init(_ arguments: [String]) throws {
        guard !arguments.isEmpty else { throw ValidationError("--profile is missing: what are the workers?") }
        var parts: [WorkerMix.Part] = []
        var paths: [String] = []
        var isCounted = false
        for argument in arguments {
            let (path, count) = try Self.split(argument)
            if count == nil, arguments.count > 1 {
                throw ValidationError(
                    "--profile \(argument) has no number; with several profiles each is PROFILE.json:COUNT"
                )
            }
            isCounted = isCounted || count != nil
            parts.append(WorkerMix.Part(profile: try ProfileFile.read(path), count: count ?? 1))
            paths.append(path)
        }
        let models = parts.map(\.profile.model)
        if let other = models.first(where: { $0 != models[0] }) {
            throw ValidationError(
                "--profile: workers must serve one model, but \(paths[0]) is of '\(models[0])' and another of '\(other)'"
            )
        }
        mix = WorkerMix(parts)
        count = isCounted ? mix.total : nil
        self.paths = paths
    }

    private static func split(_ argument: String) throws -> (path: String, count: Int?) {
        guard !FileManager.default.fileExists(atPath: argument), let colon = argument.lastIndex(of: ":") else {
            return (argument, nil)
        }
        let number = argument[argument.index(after: colon)...]
        guard let count = Int(number), (1...100_000).contains(count) else {
            throw ValidationError(
                "--profile is '\(argument)'; after the colon comes a number of workers, from 1 to 100000"
            )
        }
        return (String(argument[..<colon]), count)
    }
}
