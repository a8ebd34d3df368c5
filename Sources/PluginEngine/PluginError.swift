/// Why a plug-in can't be used: which file, and what is wrong with it.
package struct PluginError: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String
    package var problem: String

    package var description: String { "the plug-in \(path) \(problem)" }
}
