// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "headroom", path: ".."),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // The yardstick: the same loop as a C programmer would write it, with a confirmed close.
        .target(name: "CCycle", linkerSettings: [.linkedLibrary("mariadb")]),
        .executableTarget(
            name: "cycle",
            dependencies: [
                "CCycle",
                .product(name: "Headroom", package: "headroom"),
                .product(name: "HeadroomSandbox", package: "headroom"),
            ]
        ),
        // Starts a program and looks at it from outside: its time, its memory, the first session that it ends.
        .target(name: "CLaunch", linkerSettings: [.linkedLibrary("mariadb")]),
        // What the benchmarks of the command share.
        .target(
            name: "Support",
            dependencies: [
                "CLaunch",
                .product(name: "Headroom", package: "headroom"),
                .product(name: "HeadroomJobs", package: "headroom"),
                .product(name: "HeadroomSandbox", package: "headroom"),
                .product(name: "MeterImport", package: "headroom"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .executableTarget(
            name: "command",
            dependencies: [
                "Support",
                .product(name: "Headroom", package: "headroom"),
                .product(name: "HeadroomSandbox", package: "headroom"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .executableTarget(name: "slots", dependencies: [.product(name: "Headroom", package: "headroom")]),
        .executableTarget(
            name: "import",
            dependencies: [
                "CCycle",
                .product(name: "Headroom", package: "headroom"),
                .product(name: "HeadroomJobs", package: "headroom"),
                .product(name: "HeadroomSandbox", package: "headroom"),
                .product(name: "MeterImport", package: "headroom"),
            ]
        ),
        .executableTarget(
            name: "pressure",
            dependencies: [
                "CCycle",
                .product(name: "HeadroomSandbox", package: "headroom"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        .executableTarget(
            name: "scale",
            dependencies: [
                "Support",
                .product(name: "Headroom", package: "headroom"),
                .product(name: "HeadroomJobs", package: "headroom"),
                .product(name: "HeadroomSandbox", package: "headroom"),
                .product(name: "MeterImport", package: "headroom"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where !["CCycle", "CLaunch"].contains(target.name) {
    target.swiftSettings = [
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]
}
