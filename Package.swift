// swift-tools-version: 6.2
import PackageDescription

// Layers (imports only go down):
//
//   L4  aladdin (the executable)      AladdinClient, AladdinWorkerKit (library products)
//   L3  BrokerService  SchedulerService  WorkerService  GatewayService   Actuation
//       ReferenceEngine  EmulatedEngine  PluginEngine → CEngine  UpstreamEngine
//   L2  Sessions → AccessControl → ZeroMQ → CZeroMQ     Journal → PostgreSQL → CPostgreSQL     Telemetry     ServiceSettings     SpanExport → HTTPTransfers → ZeroMQ, CCurl
//   L1  Messages → CAladdinMessages (generated from Protos/) → libprotobuf-c
//   L0  Simulation → Brokering, Scheduling, Batching → RecordTables → ServingModel   EngineInterface   Reports   JSON
//       no I/O, no clock, no Foundation

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// Arithmetic that would be unusably slow unoptimised: built with -O in debug builds too, so that `make test` stays short.
let alwaysOptimised: [SwiftSetting] = settings + [.unsafeFlags(["-O"], .when(configuration: .debug))]

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let collections = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")

let package = Package(
    name: "aladdin",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "aladdin", targets: ["aladdin"]),
        .library(name: "AladdinClient", targets: ["AladdinClient"]),
        .library(name: "AladdinWorkerKit", targets: ["AladdinWorkerKit"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        // L0
        .target(name: "ServingModel", swiftSettings: settings),
        .target(name: "RecordTables", dependencies: ["ServingModel"], swiftSettings: alwaysOptimised),
        .target(name: "Batching", dependencies: ["ServingModel", collections], swiftSettings: settings),
        .target(name: "Scheduling", dependencies: ["RecordTables", "ServingModel"], swiftSettings: alwaysOptimised),
        .target(name: "EngineInterface", dependencies: ["ServingModel"], swiftSettings: settings),
        .target(name: "JSON", swiftSettings: alwaysOptimised),
        .target(name: "Reports", swiftSettings: settings),
        .target(
            name: "Brokering",
            dependencies: ["RecordTables", "ServingModel", collections, heap],
            swiftSettings: alwaysOptimised
        ),
        .target(
            name: "Simulation",
            dependencies: ["ServingModel", "Batching", "Scheduling", "Brokering", heap],
            swiftSettings: alwaysOptimised
        ),

        // L1
        .target(name: "CAladdinMessages", linkerSettings: [.linkedLibrary("protobuf-c")]),
        .target(name: "Messages", dependencies: ["CAladdinMessages", "ServingModel"], swiftSettings: settings),

        // L2
        .systemLibrary(name: "CZeroMQ"),
        .target(name: "ZeroMQ", dependencies: ["CZeroMQ", "ServingModel", collections], swiftSettings: settings),
        .systemLibrary(name: "CSodium"),
        .target(
            name: "AccessControl",
            dependencies: ["CSodium", "ServingModel", "ZeroMQ", log, lifecycle],
            swiftSettings: settings
        ),
        .target(
            name: "Sessions",
            dependencies: ["AccessControl", "Messages", "RecordTables", "ServingModel", "ZeroMQ", collections, log],
            swiftSettings: settings
        ),
        .systemLibrary(name: "CPostgreSQL"),
        .target(name: "PostgreSQL", dependencies: ["CPostgreSQL", "ServingModel"], swiftSettings: settings),
        .target(
            name: "Journal",
            dependencies: [
                "Brokering", "PostgreSQL", "ServingModel", collections,
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: settings
        ),
        .target(name: "Telemetry", dependencies: ["ServingModel"], swiftSettings: settings),
        .target(name: "ServiceSettings", dependencies: ["Scheduling", "ServingModel"], swiftSettings: settings),
        .systemLibrary(name: "CCurl"),
        .target(
            name: "SpanExport",
            dependencies: ["HTTPTransfers", "ServingModel", "ZeroMQ", log, lifecycle],
            swiftSettings: settings
        ),
        .target(name: "HTTPTransfers", dependencies: ["CCurl", "ServingModel", "ZeroMQ"], swiftSettings: settings),

        // L3
        .target(
            name: "BrokerService",
            dependencies: [
                "AccessControl", "Brokering", "Journal", "Messages", "ServingModel", "Sessions", "SpanExport",
                "Telemetry",
                "ZeroMQ",
                log, lifecycle,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "SchedulerService",
            dependencies: ["Scheduling", "Messages", "ServingModel", "Sessions", "ZeroMQ", log, lifecycle],
            swiftSettings: settings
        ),
        .target(
            name: "WorkerService",
            dependencies: [
                "EngineInterface", "Batching", "Messages", "RecordTables", "ServingModel", "Sessions", "ZeroMQ", log,
                lifecycle,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "GatewayService",
            dependencies: [
                "AccessControl", "AladdinClient", "JSON", "ServingModel", "Telemetry", "SpanExport", log, lifecycle,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            resources: ["page.html", "page.css", "charts.js", "view.js", "page.js"].map { .embedInCode("Page/\($0)") },
            swiftSettings: settings
        ),
        .target(
            name: "Actuation",
            dependencies: ["AladdinClient", "HTTPTransfers", "Messages", "ServingModel", "ZeroMQ", log, lifecycle],
            swiftSettings: settings
        ),
        .systemLibrary(name: "COpenBLAS"),
        .target(name: "CBundledModel", exclude: ["model", "training"]),
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"], .when(configuration: .debug))]),
        .target(
            name: "ReferenceEngine",
            dependencies: ["EngineInterface", "COpenBLAS", "CBundledModel", "CKernels", "ServingModel", collections],
            swiftSettings: alwaysOptimised
        ),
        .target(name: "CEngine"),
        .target(
            name: "PluginEngine",
            dependencies: ["CEngine", "EngineInterface", "ReferenceEngine", "ServingModel"],
            swiftSettings: settings
        ),
        .target(name: "EmulatedEngine", dependencies: ["EngineInterface", "ServingModel"], swiftSettings: settings),
        .target(
            name: "UpstreamEngine",
            dependencies: ["EngineInterface", "HTTPTransfers", "JSON", "ServingModel", "ZeroMQ", log],
            swiftSettings: settings
        ),

        // L4
        .target(
            name: "AladdinClient",
            dependencies: ["AccessControl", "Messages", "ServingModel", "Sessions", "ZeroMQ", log, lifecycle],
            swiftSettings: settings
        ),
        .target(
            name: "AladdinWorkerKit",
            dependencies: [
                "AccessControl", "EngineInterface", "ServingModel", "WorkerService", "ZeroMQ", log, lifecycle, signals,
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "aladdin",
            dependencies: [
                "AccessControl", "Actuation", "AladdinClient", "BrokerService", "SchedulerService", "WorkerService",
                "ServiceSettings", "GatewayService", "EngineInterface", "Batching", "Brokering", "Journal",
                "PostgreSQL",
                "ReferenceEngine",
                "EmulatedEngine", "JSON", "Messages", "PluginEngine", "UpstreamEngine", "Reports", "Scheduling",
                "ServingModel", "Simulation", "Telemetry", "SpanExport", "ZeroMQ", log, lifecycle, signals,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings,
            // In the place of glibc's malloc.
            linkerSettings: [.linkedLibrary("tcmalloc_minimal", .when(platforms: [.linux]))]
        ),

        // The example of docs/workers.md, which is also a package of its own
        .executableTarget(
            name: "SwiftWorker",
            dependencies: ["AladdinWorkerKit"],
            path: "docs/examples/swift-worker/Sources/SwiftWorker",
            swiftSettings: settings
        ),

        // Benchmarks, run by `make bench`
        .executableTarget(
            name: "ReferenceEngineBench",
            dependencies: ["ReferenceEngine"],
            path: "Tests/Benchmarks/ReferenceEngineBench",
            swiftSettings: alwaysOptimised
        ),
        .executableTarget(
            name: "JournalBench",
            dependencies: ["Brokering", "Journal", "PostgreSQL", "ServingModel"],
            path: "Tests/Benchmarks/JournalBench",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "BenchProbes",
            dependencies: [
                "ServingModel", "RecordTables", "Brokering", "Batching", "Scheduling", "Simulation", "Messages",
                "BrokerService",
            ],
            path: "Tests/Benchmarks/Probes",
            swiftSettings: settings
        ),
        // Studies, run by `make reproduce`
        .executableTarget(
            name: "Reproduction",
            dependencies: ["ServingModel", "Brokering", "Batching", "Scheduling", "Simulation", "Reports"],
            path: "Tests/Benchmarks/Reproduction",
            swiftSettings: settings
        ),

        // Long tests, run by `make test-long`
        .executableTarget(
            name: "FaultSimulation",
            dependencies: ["Simulation"],
            path: "Tests/Long/FaultSimulation",
            swiftSettings: settings
        ),
        // The Swift client of `make chaos`
        .executableTarget(
            name: "ChaosClient",
            dependencies: [
                "AladdinClient", "ServingModel", log,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Benchmarks/ChaosClient",
            swiftSettings: settings
        ),

        // Tests
        .testTarget(
            name: "ServingModelTests",
            dependencies: ["ServingModel"],
            resources: [.copy("Profiles")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "RecordTablesTests",
            dependencies: ["RecordTables", "ServingModel"],
            swiftSettings: settings
        ),
        .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: settings),
        .testTarget(name: "BatchingTests", dependencies: ["Batching", "ServingModel"], swiftSettings: settings),
        .testTarget(
            name: "BrokeringTests",
            dependencies: ["Brokering", "ServingModel", collections, heap],
            swiftSettings: settings
        ),
        .testTarget(name: "ReportsTests", dependencies: ["Reports"], swiftSettings: settings),
        .testTarget(
            name: "SchedulingTests",
            dependencies: ["RecordTables", "Scheduling", "ServingModel"],
            resources: [.copy("Measurements")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "RecordTables", "Simulation", "Batching", "Brokering", "Scheduling", "ServingModel", collections, heap,
            ],
            resources: [.copy("Golden")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "MessagesTests",
            dependencies: ["CAladdinMessages", "Messages", "ServingModel"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ZeroMQTests",
            dependencies: ["CZeroMQ", "ZeroMQ", "ServingModel"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "AccessControlTests",
            dependencies: ["AccessControl", "ServingModel", "ZeroMQ", log],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SessionsTests",
            dependencies: ["AccessControl", "Sessions", "Messages", "ServingModel", "ZeroMQ", log],
            swiftSettings: settings
        ),
        // A disk that forgets what was not synced
        .target(
            name: "CUnsyncedVFS",
            path: "Tests/CUnsyncedVFS",
            cSettings: [.define("_GNU_SOURCE")],
            linkerSettings: [.linkedLibrary("sqlite3")]
        ),
        // A database server of the tests' own
        .target(
            name: "PostgreSQLServer",
            path: "Tests/PostgreSQLServer",
            exclude: ["supervise"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "JournalTests",
            dependencies: [
                "Journal", "Brokering", "CUnsyncedVFS", "PostgreSQL", "PostgreSQLServer", "ServingModel",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "SpanExportTests",
            dependencies: ["SpanExport", "ServingModel", log],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ServiceSettingsTests",
            dependencies: ["ServiceSettings", "ServingModel"],
            swiftSettings: settings
        ),
        .testTarget(name: "TelemetryTests", dependencies: ["ServingModel", "Telemetry"], swiftSettings: settings),
        .testTarget(
            name: "WorkerServiceTests",
            dependencies: [
                "WorkerService", "EngineInterface", "Batching", "Messages", "ServingModel", "Sessions", "ZeroMQ", log,
                lifecycle,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ActuationTests",
            dependencies: ["Actuation", "ServingModel", log],
            exclude: ["kubernetes-api.py"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "AladdinClientTests",
            dependencies: ["AladdinClient", "Messages", "ServingModel", "Sessions", "ZeroMQ", lifecycle, log],
            swiftSettings: settings
        ),
        .testTarget(
            name: "GatewayServiceTests",
            dependencies: [
                "AccessControl", "GatewayService", "AladdinClient", "ServingModel", "Telemetry", "SpanExport", log,
                lifecycle,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "ReferenceEngineTests",
            dependencies: ["ReferenceEngine", "EngineInterface", "CKernels", "ServingModel"],
            resources: [.copy("Fixtures")],
            swiftSettings: settings
        ),
        .testTarget(
            name: "EmulatedEngineTests",
            dependencies: ["EmulatedEngine", "EngineInterface", "ServingModel"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PluginEngineTests",
            dependencies: ["PluginEngine", "EngineInterface", "ServingModel"],
            exclude: ["Plugins"],
            swiftSettings: settings
        ),
        // A server with OpenAI's interface and any fault
        .target(
            name: "StandInServer",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/StandInServer",
            swiftSettings: settings
        ),
        .testTarget(
            name: "UpstreamEngineTests",
            dependencies: [
                "UpstreamEngine", "EngineInterface", "HTTPTransfers", "ServingModel", "StandInServer", "ZeroMQ", log,
            ],
            swiftSettings: settings
        ),
        // Sources/CUDAEngine is built by `make cuda`; here its kernels run on the CPU
        .testTarget(
            name: "CUDAEngineTests",
            dependencies: ["EngineInterface", "PluginEngine", "ReferenceEngine", "ServingModel"],
            exclude: ["kernels.cc"],
            swiftSettings: settings
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "AladdinClient", "Brokering", "Journal", "Messages", "PostgreSQLServer", "ServingModel", "ZeroMQ",
                "StandInServer", log, lifecycle,
            ],
            exclude: ["Support/python-environment", "Support/tiny-gguf.py"],
            swiftSettings: settings
        ),
    ],
    swiftLanguageModes: [.v6]
)
