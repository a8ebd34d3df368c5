import Simulation
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Files of `Tests/Data`, which several test targets and the benchmarks share.
enum TestData {
    static func text(_ path: String) throws -> String {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let file = try #require(fopen("\(here)/Data/\(path)", "r"), "Tests/Data/\(path) cannot be opened")
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func trace(_ name: String) throws -> Trace {
        try TraceReading(text: text("traces/\(name).csv")).trace
    }
}
