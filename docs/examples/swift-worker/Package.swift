// swift-tools-version: 6.2
import PackageDescription

// A worker of your own, in a package of its own. Yours says where your clone is, or
// `.package(url: "https://…/aladdin.git", branch: "main")`.
let package = Package(
    name: "swift-worker",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "aladdin", path: "../../..")],
    targets: [
        .executableTarget(
            name: "SwiftWorker",
            dependencies: [.product(name: "AladdinWorkerKit", package: "aladdin")]
        )
    ]
)
