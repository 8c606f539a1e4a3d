// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "web-app",
    dependencies: [
        .package(name: "headroom", path: "../.."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "web-app",
            dependencies: [
                .product(name: "Headroom", package: "headroom"),
                .product(name: "HeadroomRequest", package: "headroom"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/WebApp"
        )
    ],
    swiftLanguageModes: [.v6]
)
