import Headroom
import TestSupport
import Testing

@testable import HeadroomJobs
@testable import HeadroomWeb

/// What others have named stands in a page as text, whatever marks it is written with.
@Suite struct PageEscapingTests {
    private struct Page: Sendable {
        var title: String
        var text: String
        var isProblem = false
        var advice: String
    }

    /// The tags of a page, by their first letters.
    private func tags(_ html: String) -> Int { html.utf8.count { $0 == UInt8(ascii: "<") } }

    @Test func `no text makes a tag, an attribute or an end of one, in any template`() throws {
        let assets = try Assets()
        let plain = tags(assets.render("message", Page(title: "a", text: "a", advice: "a")))
        var random = Seeded(11)
        let texts =
            [
                "x\u{600}\u{600}>\u{600}<h1\u{600}>", "a\u{600}<form method=post action=delete \u{600}>.csv",
                "\u{600}<meta http-equiv=refresh content=0;url=http://127.0.0.1/\u{600}>", "\"\u{301} onload=x",
            ] + (0..<300).map { _ in HostileText.make(&random) + "x" }
        for text in texts {
            let html = assets.render("message", Page(title: text, text: text, advice: text))
            #expect(tags(html) == plain, "\(Array(text.utf8))")
        }
    }

    @Test func `a file's name in the list of jobs is text in its attribute too`() throws {
        let name = "a\u{600}\"\u{301} autofocus onfocus=x \u{600}<b\u{600}>.csv"
        let job = ImportJob(
            id: 1,
            batchID: "",
            filename: name,
            path: "",
            type: "hh",
            status: .processing,
            isDryRun: false,
            priority: .normal,
            counts: ImportJob.Counts(processed: Int.mostCounted, imported: 1, failed: 2),
            totalRows: Int.mostCounted,
            queuedAt: "",
            retries: Int.mostCounted,
            maxRetries: 3,
            elapsed: .seconds(1)
        )
        let html = try Assets().render("imports", JobsView(JobsPicture(jobs: [job]), takesFiles: false))
        #expect(html.utf8.count { $0 == UInt8(ascii: "\"") } % 2 == 0)
        #expect(html.holds("&quot;\u{301} autofocus"))
        #expect(!html.contains(/<b\u{600}/.matchingSemantics(.unicodeScalar)))
    }
}
