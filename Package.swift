// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "headroom",
    products: [
        .library(name: "Headroom", targets: ["Headroom"]),
        .library(name: "HeadroomWatch", targets: ["HeadroomWatch"]),
        .library(name: "HeadroomJobs", targets: ["HeadroomJobs"]),
        .library(name: "MeterImport", targets: ["MeterImport"]),
        .library(name: "HeadroomSandbox", targets: ["HeadroomSandbox"]),
        .library(name: "HeadroomHistory", targets: ["HeadroomHistory"]),
        .executable(name: "headroom", targets: ["headroom"]),
        .executable(name: "headroom-guard", targets: ["headroom-guard"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // A heap for the deadlines of waits, a deque for those who wait in line.
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        // A worker is a service of whatever program it runs in.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // The guard's history is a table to be asked by time; only `headroom-guard` links it.
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // Without Foundation: the sandbox starts processes and needs nothing more of it.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // The C client, and nothing else. Only `Headroom` imports it.
        .systemLibrary(
            name: "CMariaDB",
            pkgConfig: "libmariadb",
            providers: [.apt(["libmariadb-dev"])]
        ),
        // Kernel calls that Swift's Glibc module leaves out.
        .systemLibrary(name: "CLinux"),
        .target(
            name: "Headroom",
            dependencies: [
                "CLinux",
                "CMariaDB",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        ),
        .target(name: "HeadroomWatch", dependencies: ["CLinux", "Headroom"]),
        .target(
            name: "HeadroomHistory",
            dependencies: ["HeadroomWatch", .product(name: "GRDB", package: "GRDB.swift")]
        ),
        .target(
            name: "HeadroomJobs",
            dependencies: ["Headroom", .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")]
        ),
        .target(
            name: "MeterImport",
            dependencies: [
                "Headroom",
                "HeadroomJobs",
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .target(
            name: "HeadroomSandbox",
            dependencies: [
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        // What the programs have in common: flags, output, signals, systemd.
        .target(
            name: "CommandSupport",
            dependencies: ["Headroom", .product(name: "ArgumentParser", package: "swift-argument-parser")]
        ),
        .executableTarget(
            name: "headroom",
            dependencies: [
                "CommandSupport",
                "Headroom",
                "HeadroomJobs",
                "HeadroomSandbox",
                "HeadroomWatch",
                "MeterImport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),

        // The guard's own program, which `headroom guard` becomes: SQLite and Foundation would cost every other command
        // 2.5 ms and 4 MB at its start.
        .executableTarget(
            name: "headroom-guard",
            dependencies: [
                "CommandSupport",
                "Headroom",
                "HeadroomHistory",
                "HeadroomWatch",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Sources/headroom-guard"
        ),

        // A program that holds connections, for the tests of rescue.
        .executableTarget(name: "connection-holder", dependencies: ["CMariaDB"], path: "Tests/ConnectionHolder"),

        // What several test targets share: a private server for a suite, the built program, files.
        .target(
            name: "TestSupport",
            dependencies: [
                "Headroom",
                "HeadroomSandbox",
                // For a test to run the built programs.
                "connection-holder",
                "headroom",
                "headroom-guard",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/TestSupport"
        ),
        .testTarget(
            name: "HeadroomTests",
            dependencies: [
                "Headroom",
                "HeadroomSandbox",
                "TestSupport",
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ]
        ),
        .testTarget(name: "HeadroomWatchTests", dependencies: ["Headroom", "HeadroomWatch", "TestSupport"]),
        .testTarget(
            name: "HeadroomHistoryTests",
            dependencies: ["Headroom", "HeadroomHistory", "HeadroomWatch", "TestSupport"]
        ),
        .testTarget(name: "HeadroomJobsTests", dependencies: ["Headroom", "HeadroomJobs", "TestSupport"]),
        .testTarget(
            name: "MeterImportTests",
            dependencies: ["Headroom", "HeadroomJobs", "MeterImport", "TestSupport"]
        ),
        .testTarget(name: "HeadroomSandboxTests", dependencies: ["Headroom", "HeadroomSandbox", "TestSupport"]),
        .testTarget(
            name: "CommandTests",
            dependencies: ["Headroom", "HeadroomHistory", "HeadroomSandbox", "HeadroomWatch", "TestSupport"]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// One set of rules for every target.
for target in package.targets where target.type != .system && target.name != "connection-holder" {
    target.swiftSettings = [
        // `any` says where a value is boxed: SE-0335.
        .enableUpcomingFeature("ExistentialAny"),
        // A file sees the members of the modules that it imports itself: SE-0444.
        .enableUpcomingFeature("MemberImportVisibility"),
        // A dependency stays out of a module's interface unless the import says `public`: SE-0409.
        .enableUpcomingFeature("InternalImportsByDefault"),
        // An async function runs where its caller runs, so a scope's closure need not be Sendable: SE-0461.
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
    ]
}
