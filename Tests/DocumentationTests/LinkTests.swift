import TestSupport
import Testing

/// No link of the documents is dead.
@Suite struct LinkTests {
    @Test func `every link leads to a file, and to a heading of it`() throws {
        var count = 0
        for page in try Page.all() {
            for (line, target) in page.links {
                let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
                let path = parts[0].isEmpty ? page.path : Self.resolved(String(parts[0]), from: page.path)
                count += 1
                guard let other = try? Page(path) else {
                    Issue.record("\(page.path):\(line): there is no \(path)")
                    continue
                }
                if parts.count == 2 {
                    #expect(other.anchors.contains(String(parts[1])), "\(page.path):\(line): \(target)")
                }
            }
            for (line, target) in page.mentions {
                #expect((try? SourceFiles.text(target)) != nil, "\(page.path):\(line): \(target)")
            }
        }
        #expect(count > 25)
    }

    @Test func `every page of the documents is in the index`() throws {
        let index = try Page("docs/README.md").links.map(\.target)
        for page in try Page.all() where page.path.hasPrefix("docs/") && page.path != "docs/README.md" {
            #expect(index.contains(String(page.path.dropFirst(5))), "docs/README.md lacks \(page.path)")
        }
    }

    /// A path as it is written on a page, from the project's folder.
    private static func resolved(_ target: String, from page: String) -> String {
        var parts = page.split(separator: "/").dropLast().map(String.init)
        for part in target.split(separator: "/") {
            if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(String(part)) }
        }
        return parts.joined(separator: "/")
    }
}
