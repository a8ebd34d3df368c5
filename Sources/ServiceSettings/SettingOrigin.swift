/// Who said what a setting is.
package enum SettingOrigin: Hashable, Sendable {
    case commandLine
    case environment
    case file(path: String, line: Int)
    case standard

    /// The setting as its author wrote it.
    package func label(_ name: String) -> String {
        switch self {
        case .commandLine: "--\(name)"
        case .environment: SettingDescription.variable(name)
        case .file(let path, let line): "\(path):\(line): \(name)"
        case .standard: name
        }
    }

    package var words: String {
        switch self {
        case .commandLine: "command line"
        case .environment: "environment"
        case .file(let path, let line): "\(path):\(line)"
        case .standard: "default"
        }
    }
}
