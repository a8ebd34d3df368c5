import Foundation
import Synchronization
import Testing

/// The CUDA engine's sources, compiled for this processor with g++, or the library of a GPU where there is one.
enum CUDAEngineBuild {
    static let repository: URL = {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { root.deleteLastPathComponent() }
        return root
    }()

    private static let made = Mutex<String?>(nil)

    /// The plug-in: what `ALADDIN_CUDA_LIBRARY` names, as `make cuda-bench` does, else one whose kernels run on fibers.
    static func library() throws -> String {
        if let given = ProcessInfo.processInfo.environment["ALADDIN_CUDA_LIBRARY"], !given.isEmpty { return given }
        return try made.withLock { made in
            if let made { return made }
            let path = NSTemporaryDirectory() + "aladdin-cuda-\(UUID().uuidString).so"
            let source = repository.appendingPathComponent("Sources/CUDAEngine/Plugin.cu").path
            try compile(["-shared", "-fPIC", "-fvisibility=hidden", "-x", "c++", source, "-o", path])
            made = path
            return path
        }
    }

    /// Whether `make cuda` would find nvcc without fetching it.
    static var hasCompiler: Bool {
        let fetched = repository.appendingPathComponent(".build/cuda/nvcc").path
        let given = ProcessInfo.processInfo.environment["NVCC"] ?? ""
        let folders =
            (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") + ["/usr/local/cuda/bin"]
        let isInstalled = folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/nvcc") }
        return isInstalled || !given.isEmpty || FileManager.default.fileExists(atPath: fetched)
    }

    /// Compiles with the stand-ins for CUDA; warnings are errors.
    static func compile(_ arguments: [String]) throws {
        let flags = ["-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-DALADDIN_ON_CPU"]
        let includes = ["-I", repository.appendingPathComponent("Sources/CUDAEngine").path]
        let run = try run("/usr/bin/g++", flags + includes + arguments)
        try #require(run.code == 0, "\(run.output)")
    }

    static func run(_ program: String, _ arguments: [String]) throws -> (code: Int32, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
