internal import CEngine
internal import Glibc

/// A shared library with an engine in it; once loaded it stays for the life of the process.
struct PluginLibrary {
    let path: String
    /// Its functions, of which none is missing.
    let functions: PluginFunctions

    private static let symbol = "aladdin_engine_plugin"
    private typealias Entry = @convention(c) (UInt32) -> UnsafePointer<aladdin_engine_api>?

    /// Loads the library and takes its table of functions.
    ///
    /// - Throws: a `PluginError` in the words of somebody who writes a plug-in.
    init(path: String) throws(PluginError) {
        self.path = path
        // Everything it needs is found now or never, and its symbols are nobody else's.
        guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            let reason = dlerror().map { String(cString: $0) } ?? "for no reason that the system tells"
            throw PluginError(path: path, problem: "cannot be loaded: \(reason)")
        }
        guard let address = dlsym(handle, Self.symbol) else {
            throw PluginError(path: path, problem: "exports no function \(Self.symbol): it is no plug-in for engines")
        }
        let entry = unsafeBitCast(address, to: Entry.self)
        guard let table = entry(ALADDIN_ENGINE_VERSION) else {
            let version = "version \(ALADDIN_ENGINE_VERSION) of the interface"
            throw PluginError(path: path, problem: "says that it cannot work with \(version)")
        }
        do throws(Mismatch) {
            functions = try PluginFunctions(table)
        } catch {
            throw PluginError(path: path, problem: error.problem)
        }
    }

    /// What is wrong with a table of functions.
    struct Mismatch: Error {
        var problem: String
    }
}

/// The functions of `aladdin_engine_api`, all there.
struct PluginFunctions {
    typealias ErrorText = UnsafeMutablePointer<CChar>?

    let open:
        @convention(c) (UnsafePointer<aladdin_open_parameters>?, UnsafeMutablePointer<OpaquePointer?>?, ErrorText) ->
            Int32
    let describe: @convention(c) (OpaquePointer?, UnsafeMutablePointer<aladdin_description>?) -> Void
    let admit:
        @convention(c) (OpaquePointer?, UnsafePointer<aladdin_request>?, UnsafeMutablePointer<Int64>?, ErrorText) ->
            Int32
    let step:
        @convention(c) (
            OpaquePointer?, UnsafePointer<aladdin_step>?, UnsafeMutablePointer<aladdin_output>?,
            UnsafeMutablePointer<Int64>?, ErrorText
        ) -> Int32
    let release: @convention(c) (OpaquePointer?, UInt64) -> Void
    let close: @convention(c) (OpaquePointer?) -> Void

    init(_ table: UnsafePointer<aladdin_engine_api>) throws(PluginLibrary.Mismatch) {
        let version = table.pointee.version
        guard version == ALADDIN_ENGINE_VERSION else {
            let ours = "this worker speaks version \(ALADDIN_ENGINE_VERSION)"
            let problem = "is made for version \(version) of the interface; \(ours)"
            throw .init(problem: problem)
        }
        let size = MemoryLayout<aladdin_engine_api>.size
        guard table.pointee.size >= size else {
            let problem = "has a table of \(table.pointee.size) bytes; version \(version) of the interface has \(size)"
            throw .init(problem: problem)
        }
        let api = table.pointee
        guard let open = api.open, let describe = api.describe, let admit = api.admit, let step = api.step,
            let release = api.release, let close = api.close
        else {
            let missing = [
                (api.open == nil, "open"), (api.describe == nil, "describe"), (api.admit == nil, "admit"),
                (api.step == nil, "step"), (api.release == nil, "release"), (api.close == nil, "close"),
            ]
            let names = missing.filter(\.0).map(\.1).joined(separator: ", ")
            throw .init(problem: "has NULL in its table for: \(names)")
        }
        (self.open, self.describe, self.admit, self.step) = (open, describe, admit, step)
        (self.release, self.close) = (release, close)
    }
}
