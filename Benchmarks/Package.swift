// swift-tools-version: 6.2
import PackageDescription

// A package of its own: who does not measure does not build it. Run by Scripts/bench-*.sh.

let package = Package(
    name: "drrunbook-benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "drrunbook", path: "..")],
    targets: [
        .executableTarget(name: "CHost", linkerSettings: [.linkedLibrary("lua5.4"), .linkedLibrary("m")]),
        .executableTarget(
            name: "LuaHost",
            dependencies: [.product(name: "LuaBridge", package: "drrunbook")],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .treatAllWarnings(as: .error),
            ]),
        .target(name: "BenchSupport"),
        .executableTarget(name: "ReplicationBench", dependencies: ["BenchSupport", .product(name: "DREngine", package: "drrunbook")],
            swiftSettings: [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]),
        .executableTarget(name: "EngineBench", dependencies: ["BenchSupport", .product(name: "DREngine", package: "drrunbook")],
            swiftSettings: [.enableUpcomingFeature("NonisolatedNonsendingByDefault")]),
    ],
    swiftLanguageModes: [.v6]
)
