internal import ArgumentParser
internal import Foundation
internal import ServingModel

/// Latency profiles on disk.
enum ProfileFile {
    /// - Throws: `ValidationError` that names the file and the field.
    static func read(_ path: String) throws -> LatencyProfile {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw ValidationError("cannot read profile \(path): \(error.localizedDescription)")
        }
        do {
            let profile = try JSONDecoder().decode(LatencyProfile.self, from: data)
            try profile.validate()
            return profile
        } catch let error as ProfileError {
            throw ValidationError("profile \(path): \(error)")
        } catch let error as DecodingError {
            throw ValidationError("profile \(path) is not valid JSON: \(Self.reason(error))")
        }
    }

    private static func reason(_ error: DecodingError) -> String {
        switch error {
        case .dataCorrupted(let context), .keyNotFound(_, let context), .typeMismatch(_, let context),
            .valueNotFound(_, let context):
            let underlying = (context.underlyingError as NSError?)?.userInfo[NSDebugDescriptionErrorKey] as? String
            return underlying ?? context.debugDescription
        @unknown default:
            return "\(error)"
        }
    }
}
