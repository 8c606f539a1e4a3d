import Foundation
import HTTPTypes
import Testing

@testable import HeadroomWeb

/// The paths and methods of `openapi.json` are those that the program has; schemathesis holds the answers to it.
struct APIDescriptionTests {
    @Test func `Every route is described, and every description has a route`() throws {
        let json = try JSONSerialization.jsonObject(with: Data(PackageResources.openapi_json))
        let paths = try #require((json as? [String: Any])?["paths"] as? [String: [String: Any]])
        let verbs: Set = ["get", "post", "put", "patch", "delete"]
        var described: Set<String> = []
        for (path, operations) in paths {
            for verb in operations.keys where verbs.contains(verb) { described.insert("\(verb) \(path)") }
        }
        var routes: Set<String> = []
        for (path, methods) in APIRoutes.methods {
            for method in methods {
                routes.insert("\(method.rawValue.lowercased()) \(path.replacing(":id", with: "{id}"))")
            }
        }
        #expect(described == routes)
    }
}
