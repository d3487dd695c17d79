// swift-tools-version: 6.2
import PackageDescription

// One list of targets, in the order of docs/architecture: a target may import only what stands in its own line.
// The import check of `make check` fails on anything else.

let support: Target.Dependency = "DRSupport"
let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "drrunbook",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "drrunbook", targets: ["DRRunbook"]),
        .library(name: "DRHost", targets: ["DRHost"]),
        .library(name: "DREngine", targets: ["DRReplication", "DRObjectStores", "DRModel"]),
        .library(name: "LuaBridge", targets: ["LuaBridge"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(name: "CSupport"),
        .target(name: "DRSupport", dependencies: ["CSupport", crypto]),

        .target(name: "CLua", linkerSettings: [.linkedLibrary("lua5.4"), .linkedLibrary("m")]),
        .target(name: "LuaBridge", dependencies: ["CLua", support]),

        .target(name: "DRModel", dependencies: [support]),
        .target(name: "DRManifest", dependencies: ["DRModel", support, yams]),
        .target(
            name: "CStorage",
            linkerSettings: [.linkedLibrary("zstd"), .linkedLibrary("xxhash")]),
        .target(name: "CHTTP", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "DRHTTP", dependencies: ["CHTTP", support]),
        .target(name: "DRObjectStores", dependencies: ["DRModel", "DRHTTP", support, crypto]),
        .target(name: "DRReplication", dependencies: ["DRModel", "DRManifest", "CStorage", support, crypto]),
        .target(name: "DRSimulation", dependencies: ["DRReplication", "DRModel", support]),
        .target(name: "CProcess"),
        .target(name: "DROutside", dependencies: ["DRModel", "DRHTTP", "CProcess", support, crypto]),
        .target(name: "DRActions", dependencies: ["LuaBridge", "DRModel", support]),
        .target(name: "DRJournal", dependencies: ["DRModel", support, grdb]),
        .target(name: "DRReport", dependencies: ["DRModel", support]),
        .target(name: "DRLint", dependencies: [support]),
        .target(
            name: "DRHost",
            dependencies: [
                "LuaBridge", "DRModel", "DRReport", "DRManifest", "DRActions", "DRReplication", "DRObjectStores", "DRSimulation",
                "DRJournal", "DRLint", "DROutside", support,
            ]),
        .executableTarget(
            name: "DRRunbook", dependencies: ["DRHost", "DRModel", "DRReport", "DRActions", "DRLint", support, argumentParser]),

        .testTarget(name: "DRSupportTests", dependencies: [support]),
        .target(name: "CPlainLua", path: "Tests/CPlainLua", linkerSettings: [.linkedLibrary("lua5.4")]),
        .testTarget(name: "LuaBridgeTests", dependencies: ["LuaBridge", "CLua", "CPlainLua", support], exclude: ["Hostile"]),
        .testTarget(name: "DRModelTests", dependencies: ["DRModel", support]),
        .testTarget(name: "DRManifestTests", dependencies: ["DRManifest", "DRModel", support]),
        .testTarget(
            name: "DRReplicationTests",
            dependencies: [
                "DRActions", "DRJournal", "DRReplication", "DRObjectStores", "DRSimulation", "DRManifest", "DRModel", "CStorage", support,
            ]),
        .testTarget(name: "DRActionsTests", dependencies: ["DRActions", "LuaBridge", "DRModel", support]),
        .testTarget(
            name: "DRObjectStoresTests",
            dependencies: ["DRObjectStores", "DRReplication", "DRHTTP", "DRModel", support],
            exclude: ["s3.py", "vectors.py", "signatures.json"]),
        .testTarget(
            name: "DROutsideTests", dependencies: ["DROutside", "DRHTTP", "DRModel", support], exclude: ["server.py", "Certificates"]),
        .testTarget(name: "DRJournalTests", dependencies: ["DRJournal", "DRModel", support, grdb]),
        .testTarget(name: "DRLintTests", dependencies: ["DRLint", support]),
        .testTarget(name: "DRReportTests", dependencies: ["DRReport", "DRModel", support]),
        .testTarget(name: "DRSimulationTests", dependencies: ["DRSimulation", "DRModel", support]),
        .testTarget(
            name: "DRHostTests",
            dependencies: [
                "DRHost", "DRRunbook", "DRActions", "DRJournal", "DRLint", "DROutside", "DRReplication", "DRSimulation", "DRManifest",
                "DRModel", support, argumentParser,
            ]),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
    guard !target.name.hasPrefix("C") else { continue }
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"),
            .enableUpcomingFeature("InternalImportsByDefault"),
            .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
            .enableUpcomingFeature("InferIsolatedConformances"),
            .treatAllWarnings(as: .error),
        ] + (target.type == .test ? [] : [.strictMemorySafety()])
}
