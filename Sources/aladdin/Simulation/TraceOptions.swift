internal import ArgumentParser

/// Which trace.
struct TraceOptions: ParsableArguments {
    @Option(
        help: """
            Trace: CSV with arrival_s,input_tokens,output_tokens, or an Azure, Mooncake or BurstGPT trace; - is standard \
            input.
            """
    )
    var trace: String

    @Flag(help: "Leave out lines of the trace that are wrong, and count them.")
    var skipBad = false

    func file() throws -> TraceFile {
        try TraceFile(path: trace, skipsBadLines: skipBad)
    }
}
