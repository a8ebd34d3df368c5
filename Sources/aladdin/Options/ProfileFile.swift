internal import ArgumentParser
internal import Foundation
internal import JSON
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
            throw ValidationError("profile \(path) is not valid JSON\(Self.place(of: error, in: data))")
        }
    }

    private static func place(of error: DecodingError, in data: Data) -> String {
        if let fault = JSONFault(in: Array(data)) {
            return ": line \(fault.line), column \(fault.column): expected \(fault.expected)"
        }
        // Any value is taken, so that only a number can be of the wrong type.
        guard case .typeMismatch(_, let context) = error else { return "" }
        let field = context.codingPath.map(\.stringValue).joined(separator: ".")
        return ": \(field) is a number that is too large to be read"
    }
}
