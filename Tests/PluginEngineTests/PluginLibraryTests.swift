import Foundation
import PluginEngine
import Testing

@Suite("Plug-ins that cannot be used")
struct PluginLibraryTests {
    private func problem(_ path: String, options: [String: String] = [:], model: String? = nil) -> String {
        var configuration = PluginEngineConfiguration()
        configuration.options = options.map { .init(key: $0.key, value: $0.value) }
        configuration.modelDirectory = model
        do {
            _ = try PluginEngine(path: path, configuration: configuration)
            return "none"
        } catch {
            return "\(error)"
        }
    }

    @Test(
        "A library that is no plug-in, or one for another interface, is told in words",
        arguments: [
            ("NO_SYMBOL", "exports no function aladdin_engine_plugin"),
            ("NULL_TABLE", "says that it cannot work with version 1"),
            ("OTHER_VERSION", "is made for version 9 of the interface; this worker speaks version 1"),
            ("SMALL_TABLE", "has a table of 24 bytes; version 1 of the interface has 56"),
            ("MISSING_FUNCTIONS", "has NULL in its table for: step, release"),
        ]
    )
    func library(fault: String, words: String) throws {
        let path = try Plugins.broken(fault)
        let problem = problem(path)
        #expect(problem.contains(words) && problem.contains(path), "\(problem)")
    }

    @Test("A file that is missing, or no library, is told with what the system says")
    func file() throws {
        #expect(problem("/nowhere/lib.so").contains("cannot be loaded: /nowhere/lib.so"))
        #expect(problem("Package.swift").contains("cannot be loaded"))
        #expect(problem(#filePath).contains("cannot be loaded"))
    }

    @Test(
        "An engine that does not open says why, in one line of bounded length",
        arguments: [
            ("open", "cannot open its engine: no such device"),
            ("open-silently", "the plug-in's open failed and does not say why"),
            ("endless-words", "cannot open its engine: " + String(repeating: "x", count: 256)),
            ("no-engine", "says that it opened an engine, and has none"),
        ]
    )
    func open(fault: String, words: String) throws {
        #expect(problem(try Plugins.broken(), options: ["fault": fault]).hasSuffix(words))
    }

    @Test("A description that cannot be used names every field")
    func description() throws {
        let problem = problem(try Plugins.broken(), options: ["fault": "description"])
        for field in ["kv.capacity_tokens is 3", "decode.c3_ms is -1", "contextLength is 0"] {
            #expect(problem.contains(field), "\(problem)")
        }
        #expect(self.problem(try Plugins.broken(), options: ["fault": "no-model"]).contains("does not name its model"))
    }

    @Test("A plug-in that leaves text to the worker needs a model directory with text in it")
    func textWithoutModel() throws {
        let options = ["fault": "text-by-worker"]
        #expect(problem(try Plugins.broken(), options: options).contains("needs --model DIR"))
        let empty = NSTemporaryDirectory()
        #expect(problem(try Plugins.broken(), options: options, model: empty).contains("config.json: is missing"))
    }
}
