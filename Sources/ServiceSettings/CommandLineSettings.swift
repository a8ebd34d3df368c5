/// The settings among a command's arguments, as typed.
///
/// Whether the arguments make sense is for the parser to say; this finds the text of the values.
package struct CommandLineSettings: Sendable {
    private var values: [String: String] = [:]

    package init(_ arguments: [String]) {
        var index = arguments.startIndex
        while index < arguments.endIndex, arguments[index] != "--" {
            let argument = arguments[index]
            index += 1
            guard argument.hasPrefix("--") else { continue }
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            if parts.count == 2 {
                add(name, String(parts[1]))
            } else if SettingTable[name]?.form == .flag {
                values[name] = "true"
            } else if index < arguments.endIndex, !arguments[index].hasPrefix("--") {
                add(name, arguments[index])
                index += 1
            }
        }
    }

    private mutating func add(_ name: String, _ text: String) {
        switch SettingTable[name]?.form {
        case .url(isList: true): values[name] = values[name].map { "\($0),\(text)" } ?? text
        case .pairs: values[name] = values[name].map { "\($0);\(text)" } ?? text
        default: values[name] = text
        }
    }

    package subscript(name: String) -> String? { values[name] }

    package subscript(setting: SettingDescription) -> String? { values[setting.name] }
}
