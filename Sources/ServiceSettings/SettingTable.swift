/// All settings of the long-running commands.
package enum SettingTable {
    package static let commands = ["up", "broker", "scheduler", "worker", "gateway", "autoscale"]

    package static let all: [SettingDescription] =
        general + broker + gateway + tracing + scheduler + worker + upstream + autoscale

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    package static subscript(name: String) -> SettingDescription? { byName[name] }

    /// What somebody may have meant who wrote a name that there is not.
    package static func nearest(to name: String) -> String? {
        let wanted = name.lowercased().map { $0 == "_" ? "-" : $0 }
        let candidates = all.filter { !$0.isSecret }.map {
            (name: $0.name, distance: EditDistance.between(wanted, Array($0.name)))
        }
        guard let best = candidates.min(by: { $0.distance < $1.distance }),
            best.distance <= max(2, best.name.count / 3)
        else { return nil }
        return best.name
    }
}
