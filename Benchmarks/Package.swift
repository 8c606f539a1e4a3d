// swift-tools-version: 6.2

import PackageDescription

/// The libraries that are measured.
func headroom(_ products: String...) -> [Target.Dependency] { products.map { .product(name: $0, package: "headroom") } }

/// What starts programs.
let programs: [Target.Dependency] = [
    .product(name: "Subprocess", package: "swift-subprocess"), .product(name: "SystemPackage", package: "swift-system"),
]

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
            dependencies: ["CCycle"] + headroom("Headroom", "HeadroomSandbox")
        ),
        // Starts a program and looks at it from outside: its time, its memory, the first session that it ends.
        .target(name: "CLaunch", linkerSettings: [.linkedLibrary("mariadb")]),
        // What the benchmarks of the command share.
        .target(
            name: "Support",
            dependencies: ["CLaunch"] + headroom("Headroom", "HeadroomJobs", "HeadroomSandbox", "MeterImport")
                + programs
        ),
        .executableTarget(
            name: "command",
            dependencies: ["Support"] + headroom("Headroom", "HeadroomSandbox") + programs
        ),
        .executableTarget(name: "slots", dependencies: headroom("Headroom")),
        .executableTarget(
            name: "import",
            dependencies: ["CCycle"] + headroom("Headroom", "HeadroomJobs", "HeadroomSandbox", "MeterImport")
        ),
        .executableTarget(
            name: "pressure",
            dependencies: ["CCycle"] + headroom("Headroom", "HeadroomSandbox") + programs
        ),
        .executableTarget(name: "rows", dependencies: ["Support"] + headroom("Headroom", "HeadroomSandbox")),
        .executableTarget(
            name: "scale",
            dependencies: ["Support"] + headroom("Headroom", "HeadroomJobs", "HeadroomSandbox", "MeterImport")
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
