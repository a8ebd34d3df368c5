internal import Foundation

/// Where a user's services keep what nobody told them to keep elsewhere.
enum StateDirectory {
    static func path(_ name: String) -> String {
        let given = ProcessInfo.processInfo.environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        return (given ?? NSHomeDirectory() + "/.local/state") + "/aladdin/\(name)"
    }
}
