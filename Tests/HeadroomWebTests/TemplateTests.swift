import TestSupport
import Testing

@testable import HeadroomWeb

/// Pages are filled in from views, and no value can become markup.
@Suite struct TemplateTests {
    private struct Row {
        var name: String
        var count: Int?
    }

    private struct View {
        var title = "a<b"
        var isShown = true
        var isHidden = false
        var rows = [Row(name: "x", count: 1), Row(name: "y", count: nil)]
        var none: [Row] = []
        var words = ["1", "2"]
        var missing: String?
        var inner = Row(name: "deep", count: 2)
    }

    @Test(arguments: [
        ("{{title}} {{{title}}}", "a&lt;b a<b"), ("{{unknown}}{{inner.name}}{{inner.none}}{{rows.name}}", "deep"),
        (
            "{{#isShown}}1{{/isShown}}{{#isHidden}}2{{/isHidden}}{{^isHidden}}3{{/isHidden}}{{^isShown}}4{{/isShown}}",
            "13"
        ),
        ("{{#rows}}{{name}}{{#count}}={{count}} {{title}}{{/count}};{{/rows}}", "x=1 a&lt;b;y;"),
        ("{{#none}}1{{/none}}{{^none}}2{{/none}}{{#missing}}3{{/missing}}{{^missing}}4{{/missing}}", "24"),
        ("{{#words}}<{{.}}>{{/words}}", "<1><2>"), ("{{#inner}}{{name}}{{isShown}}{{/inner}}", "deep"),
        ("a\n  {{#isShown}}\nb\n{{/isShown}}\nc{{#isShown}} d{{/isShown}}\n", "a\nb\nc d\n"), ("{{ {{title}}", ""),
        ("}} no {{tag", "}} no {{tag"), ("", ""),
    ])
    func `names, sections and inverted sections are filled in`(source: String, expected: String) throws {
        #expect(try Template(source).render(View()) == expected)
    }

    @Test(arguments: ["{{#rows}}", "{{/rows}}", "{{#rows}}{{#inner}}{{/rows}}{{/inner}}"])
    func `a section that does not end is refused`(source: String) {
        #expect(throws: Template.Unbalanced.self) { try Template(source) }
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>) func `no text becomes markup`(seed: UInt64) throws {
        var random = Seeded(seed)
        let text = HostileText.make(&random)
        let shown = try Template("<p title=\"{{.}}\">{{.}}</p>").render(text)
        let signs = shown.unicodeScalars.filter { "<>\"".unicodeScalars.contains($0) }
        #expect(String(String.UnicodeScalarView(signs)) == "<\"\"><>")
    }
}
