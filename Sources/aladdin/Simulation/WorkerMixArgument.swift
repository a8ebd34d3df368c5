internal import ArgumentParser
internal import Foundation
internal import ServingModel
internal import Simulation

/// `--profile` as given: `PROFILE.json`, or `PROFILE.json:COUNT` where there are several kinds of workers.
struct WorkerMixArgument: Sendable {
    let mix: WorkerMix
    /// How many workers the arguments name; nil if they name no number.
    let count: Int?

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
    }

    /// The workers of a recorded past.
    ///
    /// What was learnt of workers of one kind differs by a little: the one in the middle stands for them.
    ///
    /// - Parameter profiles: one for each worker, at least one.
    init(recorded profiles: [LatencyProfile]) {
        let kinds = Dictionary(grouping: profiles, by: Kind.init).values.map { members in
            members.sorted { $0.decode.c3Milliseconds < $1.decode.c3Milliseconds }
        }
        let ordered = kinds.sorted { ($1.count, $0[0].device) < ($0.count, $1[0].device) }
        mix = WorkerMix(ordered.map { WorkerMix.Part(profile: $0[$0.count / 2], count: $0.count) })
        count = profiles.count
    }

    /// What makes workers the same but for what was learnt of them.
    private struct Kind: Hashable {
        let device: String
        let gpus: Int
        let kvCache: LatencyProfile.KVCache
        let limits: LatencyProfile.Limits

        init(_ profile: LatencyProfile) {
            (device, gpus) = (profile.device, profile.gpus)
            (kvCache, limits) = (profile.kvCache, profile.limits)
        }
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
