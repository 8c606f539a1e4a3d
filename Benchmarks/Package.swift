// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "headroom", path: "..")],
    targets: [
        // The yardstick: the same loop as a C programmer would write it, with a confirmed close.
        .target(name: "CCycle", linkerSettings: [.linkedLibrary("mariadb")]),
        .executableTarget(
            name: "cycle",
            dependencies: [
                "CCycle",
                .product(name: "Headroom", package: "headroom"),
                .product(name: "HeadroomSandbox", package: "headroom"),
            ],
            swiftSettings: [
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)
