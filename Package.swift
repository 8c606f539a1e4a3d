// swift-tools-version: 6.2

import PackageDescription

let package = Package(
    name: "headroom",
    // Of the standard library's mutexes, atomics and task executors; Linux has no such minimum.
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Headroom", targets: ["Headroom"]),
        .library(name: "HeadroomFoundation", targets: ["HeadroomFoundation"]),
        .library(name: "HeadroomWatch", targets: ["HeadroomWatch"]),
        .library(name: "HeadroomJobs", targets: ["HeadroomJobs"]),
        .library(name: "HeadroomRequest", targets: ["HeadroomRequest"]),
        .library(name: "MeterImport", targets: ["MeterImport"]),
        .library(name: "HeadroomSandbox", targets: ["HeadroomSandbox"]),
        .library(name: "HeadroomHistory", targets: ["HeadroomHistory"]),
        .library(name: "HeadroomWeb", targets: ["HeadroomWeb"]),
        .executable(name: "headroom", targets: ["headroom"]),
        .executable(name: "headroom-web", targets: ["headroom-web"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // A heap for the deadlines of waits, a deque for those who wait in line.
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        // The dashboard's passwords (scrypt) and signed cookies; only `headroom-web` links it.
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // The parts of a request as Hummingbird's connections hand them on.
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        // The dashboard's server, and the request's connection for applications built on it; no other program
        // links them. Without what needs all of Foundation.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        // A worker is a service of whatever program it runs in.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Without Foundation: the sandbox starts processes and needs nothing more of it.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // The C client, and nothing else. Only `Headroom` imports it, and the one below.
        .systemLibrary(
            name: "CMariaDB",
            pkgConfig: "libmariadb",
            providers: [.apt(["libmariadb-dev"]), .brew(["mariadb-connector-c"])]
        ),
        // The TLS library that the C client is built on: what it shows of servers' keys, and RSA.
        .systemLibrary(
            name: "COpenSSL",
            pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),
        // The guard's history is a table to be asked by time.
        .systemLibrary(
            name: "CSQLite",
            pkgConfig: "sqlite3",
            providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]
        ),
        // Kernel calls that Swift's module of the C library leaves out.
        .systemLibrary(name: "CKernel"),
        // The system's C library with them, under one name for Linux and macOS.
        .target(name: "CLibrary", dependencies: ["CKernel"]),
        .target(
            name: "Headroom",
            dependencies: [
                "CLibrary",
                "CMariaDB",
                "COpenSSL",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ]
        ),
        // Foundation's types as values of statements; apart, as `Headroom` starts without Foundation.
        .target(name: "HeadroomFoundation", dependencies: ["Headroom"]),
        // Reads `/proc`: Linux only.
        .target(name: "HeadroomWatch", dependencies: ["CKernel", "Headroom"]),
        .target(name: "HeadroomHistory", dependencies: ["CSQLite", "Headroom", "HeadroomWatch"]),
        .target(
            name: "HeadroomJobs",
            dependencies: [
                "CLibrary",
                "Headroom",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        // A request's connection, in an application built with Hummingbird.
        .target(
            name: "HeadroomRequest",
            dependencies: [
                "Headroom",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]
        ),
        .target(
            name: "MeterImport",
            dependencies: [
                "CLibrary",
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
        // The relay by which programs that cannot be changed wait in the same line.
        .target(name: "HeadroomDoor", dependencies: ["CLibrary", "Headroom"]),
        // What the programs have in common: flags, output, signals, systemd.
        .target(
            name: "CommandSupport",
            dependencies: [
                "CKernel", "CSQLite", "Headroom", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),
        // The ways on which somebody is told: a command, a webhook, mail.
        .target(
            name: "Alerting",
            dependencies: [
                "CommandSupport",
                "Headroom",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ]
        ),
        // What the programs say of an account and of jobs, as JSON and as metrics.
        .target(
            name: "Reporting",
            dependencies: ["CommandSupport", "Headroom", "HeadroomJobs", "HeadroomWatch", "MeterImport"]
        ),
        .executableTarget(
            name: "headroom",
            dependencies: [
                "Alerting",
                "CKernel",
                "CommandSupport",
                "Headroom",
                "HeadroomDoor",
                "HeadroomHistory",
                "HeadroomJobs",
                "HeadroomSandbox",
                "HeadroomWatch",
                "MeterImport",
                "Reporting",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),

        // The example of an application, built here too so that the tests can run it without building Hummingbird twice.
        .executableTarget(
            name: "web-app",
            dependencies: [
                "Headroom",
                "HeadroomRequest",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Examples/WebApp/Sources/WebApp"
        ),
        .target(
            name: "HeadroomWeb",
            dependencies: [
                "CommandSupport",
                "Headroom",
                "HeadroomHistory",
                "HeadroomJobs",
                "HeadroomWatch",
                "MeterImport",
                "Reporting",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            // The stylesheet, the script, the pages and the API's description travel in the program.
            resources: [.embedInCode("Assets")]
        ),
        // The dashboard's own program, which `headroom serve` becomes: an HTTP server has no place in the tool for an outage.
        .executableTarget(
            name: "headroom-web",
            dependencies: [
                "CKernel",
                "CommandSupport",
                "Headroom",
                "HeadroomJobs",
                "HeadroomWatch",
                "HeadroomWeb",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/headroom-web"
        ),
        // Writes the package's manual pages.
        .executableTarget(name: "manual-pages", path: "Sources/manual-pages"),

        // Runs a program on a host that refuses some system calls, for the tests.
        .executableTarget(name: "call-refuser", path: "Tests/CallRefuser"),

        // A program that holds connections, for the tests of rescue.
        .executableTarget(name: "connection-holder", dependencies: ["CMariaDB"], path: "Tests/ConnectionHolder"),

        // Code of packages with none of the settings below, as most are: that it compiles is part of the test.
        .target(name: "DefaultPackage", dependencies: ["Headroom"], path: "Tests/DefaultPackage"),
        .target(
            name: "Swift5Package",
            dependencies: ["Headroom"],
            path: "Tests/Swift5Package",
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
        .target(
            name: "MainActorPackage",
            dependencies: ["Headroom"],
            path: "Tests/MainActorPackage",
            swiftSettings: [.defaultIsolation(MainActor.self)]
        ),

        // What several test targets share: a private server for a suite, the built program, files.
        .target(
            name: "TestSupport",
            dependencies: [
                "Headroom",
                "HeadroomSandbox",
                // For a test to run the built programs.
                "call-refuser",
                "connection-holder",
                "headroom",
                "headroom-web",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/TestSupport"
        ),
        .testTarget(
            name: "HeadroomTests",
            dependencies: [
                "CLibrary",
                "COpenSSL",
                "DefaultPackage",
                "Headroom",
                "HeadroomSandbox",
                "MainActorPackage",
                "Swift5Package",
                "TestSupport",
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ]
        ),
        .testTarget(name: "HeadroomFoundationTests", dependencies: ["Headroom", "HeadroomFoundation", "TestSupport"]),
        .testTarget(
            name: "HeadroomWatchTests",
            dependencies: ["Headroom", "HeadroomWatch", "TestSupport"],
            // Files of a host, which the tests read where they are.
            exclude: ["Hosts"]
        ),
        .testTarget(
            name: "HeadroomHistoryTests",
            dependencies: ["Headroom", "HeadroomHistory", "HeadroomWatch", "TestSupport"]
        ),
        .testTarget(name: "HeadroomJobsTests", dependencies: ["Headroom", "HeadroomJobs", "TestSupport"]),
        .testTarget(
            name: "MeterImportTests",
            dependencies: ["Headroom", "HeadroomJobs", "MeterImport", "TestSupport"]
        ),
        .testTarget(
            name: "HeadroomRequestTests",
            dependencies: [
                "Headroom",
                "HeadroomRequest",
                "HeadroomSandbox",
                "TestSupport",
                // For the tests to run it.
                "web-app",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]
        ),
        .testTarget(name: "HeadroomSandboxTests", dependencies: ["Headroom", "HeadroomSandbox", "TestSupport"]),
        .testTarget(
            name: "HeadroomDoorTests",
            dependencies: ["CLibrary", "Headroom", "HeadroomDoor", "TestSupport"],
            exclude: ["Captures"]
        ),
        .testTarget(name: "CommandSupportTests", dependencies: ["CommandSupport"]),
        .testTarget(name: "AlertingTests", dependencies: ["Alerting", "TestSupport"]),
        // Every command, snippet and link of the documents.
        .testTarget(
            name: "DocumentationTests",
            dependencies: [
                "Headroom",
                "HeadroomRequest",
                "HeadroomSandbox",
                "TestSupport",
                .product(name: "Hummingbird", package: "hummingbird"),
            ]
        ),
        .testTarget(
            name: "HeadroomWebTests",
            dependencies: [
                "Headroom",
                "HeadroomHistory",
                "HeadroomJobs",
                "HeadroomSandbox",
                "HeadroomWatch",
                "HeadroomWeb",
                "MeterImport",
                "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "Headroom", "HeadroomDoor", "HeadroomHistory", "HeadroomSandbox", "HeadroomWatch", "TestSupport",
            ]
        ),
    ],
    swiftLanguageModes: [.v6]
)

#if os(macOS)
// A Mac has the libraries that are written for it; the others, and the programs, read Linux's `/proc`.
let libraries: Set = [
    "CKernel", "CLibrary", "CMariaDB", "COpenSSL", "Headroom", "HeadroomFoundation", "HeadroomJobs", "MeterImport",
]
package.targets.removeAll { !libraries.contains($0.name) }
package.products.removeAll { !libraries.contains($0.name) }
#endif

// The documentation's plug-in, for who builds the pages (`scripts/docs`): nobody else needs it.
if Context.environment["HEADROOM_DOCS"] != nil {
    package.dependencies.append(.package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"))
}

// One set of rules for every target, but those that stand for other people's.
let foreign = ["call-refuser", "connection-holder", "DefaultPackage", "Swift5Package", "MainActorPackage"]
for target in package.targets where target.type != .system && !foreign.contains(target.name) {
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
