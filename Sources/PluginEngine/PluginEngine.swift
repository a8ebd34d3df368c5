internal import CEngine
package import EngineInterface
internal import ReferenceEngine
package import ServingModel

/// An engine in a shared library behind `CEngine.h`.
///
/// It carries requests and steps over to the plug-in, and checks what comes back: an answer that does not fit what was asked
/// fails the step, in words, and nothing else. A crash of the plug-in is a crash of this process.
package final class PluginEngine: Engine {
    package let description: EngineDescription
    let plugin: OpenPlugin
    /// Makes tokens and text for a plug-in that knows tokens only; nil for one that does that itself.
    let text: ModelText?
    var answers: [SequenceID: AnswerText] = [:]

    /// Loads the library and opens an engine in it.
    ///
    /// - Parameter path: the library's; a name without a slash is a file in the working directory.
    /// - Throws: `PluginError`, or `ModelLoadingError` for a model directory whose text cannot be made here.
    package init(path: String, configuration: PluginEngineConfiguration = PluginEngineConfiguration()) throws {
        let library = try PluginLibrary(path: path.contains("/") ? path : "./\(path)")
        plugin = try OpenPlugin(library, configuration)
        var wire = aladdin_description()
        wire.size = UInt32(MemoryLayout<aladdin_description>.size)
        plugin.functions.describe(plugin.engine, &wire)
        description = try Self.description(wire, path: path)
        guard wire.flags & UInt32(ALADDIN_TEXT_BY_WORKER) != 0 else {
            text = nil
            return
        }
        guard let directory = configuration.modelDirectory else {
            let problem = "leaves text to the worker, which needs --model DIR with tokenizer.json and config.json"
            throw PluginError(path: path, problem: problem)
        }
        text = try ModelText(directory: directory)
    }

    package func step(_ step: EngineStep) throws(Status) -> [SequenceOutput] {
        let memory = CallMemory()
        defer { memory.free() }
        let chunks = step.chunks.map { chunk in
            aladdin_chunk(
                sequence: chunk.sequence.wire,
                start: UInt32(chunk.start),
                end: UInt32(chunk.end),
                completes_prompt: chunk.completesPrompt ? 1 : 0,
                reserved: 0
            )
        }
        var wire = aladdin_step()
        wire.size = UInt32(MemoryLayout<aladdin_step>.size)
        wire.preempted = memory.array(step.preempted.map(\.wire))
        wire.preempted_count = step.preempted.count
        wire.decodes = memory.array(step.decodes.map(\.wire))
        wire.decode_count = step.decodes.count
        wire.chunks = memory.array(chunks)
        wire.chunk_count = chunks.count
        let expected = step.yielding
        // One more than fits, so that the array is never NULL.
        var outputs = [aladdin_output](
            repeating: aladdin_output(sequence: 0, token: -1, finish: 0, text: aladdin_text()),
            count: expected.count + 1
        )
        var count: Int64 = 0
        try outputs.withUnsafeMutableBufferPointer { buffer throws(Status) in
            try OpenPlugin.check("step") { plugin.functions.step(plugin.engine, &wire, buffer.baseAddress, &count, $0) }
        }
        return try checked(outputs, count: count, expected: expected).map { complete($0) }
    }

    package func release(_ sequence: SequenceID) {
        answers[sequence] = nil
        plugin.functions.release(plugin.engine, sequence.wire)
    }

    /// Adds the text to a token of a plug-in that knows tokens only.
    private func complete(_ output: SequenceOutput) -> SequenceOutput {
        guard let text, var answer = answers[output.sequence] else { return output }
        var output = output
        let (said, finish) = answer.append(output.token, of: text)
        output.text = said
        if let finish {
            output.finish = finish
        } else if output.finish != nil {
            output.text += answer.end()
        }
        answers[output.sequence] = answer
        return output
    }
}

extension SequenceID {
    var wire: UInt64 { UInt64(rawValue) }
}
