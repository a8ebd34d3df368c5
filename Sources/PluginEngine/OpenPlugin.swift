internal import CEngine
internal import ServingModel

/// An engine of a plug-in between `open` and `close`, and what its functions say of failing.
final class OpenPlugin {
    let functions: PluginFunctions
    let engine: OpaquePointer

    init(_ library: PluginLibrary, _ configuration: PluginEngineConfiguration) throws(PluginError) {
        functions = library.functions
        let memory = CallMemory()
        defer { memory.free() }
        let options = configuration.options.map { option in
            aladdin_option(key: memory.text(option.key).bytes, value: memory.text(option.value).bytes)
        }
        var parameters = aladdin_open_parameters()
        parameters.size = UInt32(MemoryLayout<aladdin_open_parameters>.size)
        parameters.option_count = UInt32(options.count)
        parameters.options = memory.array(options)
        parameters.model_directory = memory.text(configuration.modelDirectory)
        parameters.model_name = memory.text(configuration.modelName)
        parameters.kv_capacity_tokens = UInt64(max(configuration.kvCapacityTokens ?? 0, 0))
        var engine: OpaquePointer?
        let functions = functions
        do throws(Status) {
            try Self.check("open") { functions.open(&parameters, &engine, $0) }
        } catch {
            throw PluginError(path: library.path, problem: "cannot open its engine: \(error.message)")
        }
        guard let engine else {
            throw PluginError(path: library.path, problem: "says that it opened an engine, and has none")
        }
        self.engine = engine
    }

    deinit {
        functions.close(engine)
    }

    /// Calls a function that returns a code and writes words.
    ///
    /// - Throws: what a code other than `ALADDIN_OK` means to the broker.
    static func check(_ name: String, _ call: (UnsafeMutablePointer<CChar>) -> Int32) throws(Status) {
        var words = [CChar](repeating: 0, count: Int(ALADDIN_ERROR_SIZE) + 1)
        let code = words.withUnsafeMutableBufferPointer { call($0.baseAddress!) }
        guard code != ALADDIN_OK else { return }
        let message = message(words) ?? "the plug-in's \(name) failed and does not say why"
        switch Int(code) {
        case ALADDIN_INVALID: throw Status(.invalidArgument, .malformed, message)
        case ALADDIN_PROMPT_TOO_LONG: throw Status(.outOfRange, .promptTooLong, message)
        case ALADDIN_UNSUPPORTED: throw Status(.unimplemented, .unsupported, message)
        case ALADDIN_OUT_OF_MEMORY: throw Status(.resourceExhausted, .outOfMemory, message)
        case ALADDIN_FAILED: throw Status(.internalError, .engineFailed, message)
        default:
            let unknown = "the plug-in's \(name) returned \(code), which is no code of the interface: \(message)"
            throw Status(.internalError, .engineFailed, unknown)
        }
    }

    /// What a plug-in wrote, in one line; nil if it wrote nothing.
    private static func message(_ words: [CChar]) -> String? {
        let bytes = words.prefix(Int(ALADDIN_ERROR_SIZE)).prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let text = String(decoding: bytes, as: UTF8.self)
        let line = String(text.unicodeScalars.map { $0.value < 0x20 ? " " : Character($0) })
        return line.isEmpty ? nil : line
    }
}
