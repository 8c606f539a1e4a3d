import Testing

@testable import HeadroomWeb

struct MultipartTests {
    private static let form = [
        "--xyz", "Content-Disposition: form-data; name=\"type\"", "", "hh", "--xyz",
        "Content-Disposition: form-data; name=\"file\"; filename=\"a \\%22b%22; name=x.csv\"", "Content-Type: text/csv",
        "",
        "one,two\r\n--xy\r\n-three--xyz", "--xyz--", "",
    ]
    .joined(separator: "\r\n")

    private func scan(_ text: String, pieces: Int) throws -> (
        fields: [String: String], name: String?, file: String, done: Bool
    ) {
        var scanner = try MultipartScanner(contentType: "multipart/form-data; boundary=xyz")
        var fields: [String: String] = [:]
        var name: String?
        var file: [UInt8] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            for part in try scanner.feed(bytes[start..<min(bytes.count, start + pieces)]) {
                switch part {
                case .field(let field, let value): fields[field] = value
                case .fileBegan("file", let shown): name = shown
                case .fileBytes(let more): file += more
                case .fileBegan, .fileEnded: break
                }
            }
        }
        return (fields, name, String(decoding: file, as: UTF8.self), scanner.isComplete)
    }

    @Test(arguments: [1, 2, 3, 7, 64, 4096])
    func `A form reads the same in pieces of any size`(pieces: Int) throws {
        let form = try scan(Self.form, pieces: pieces)
        #expect(form.fields == ["type": "hh"])
        #expect(form.name == "a \\\"b\"; name=x.csv")
        #expect(form.file == "one,two\r\n--xy\r\n-three--xyz")
        #expect(form.done)
    }

    @Test func `A form that broke off is seen to be incomplete`() throws {
        let text = String(Self.form.dropLast(8))
        #expect(try !scan(text, pieces: 100).done)
    }

    @Test func `Endless heads and fields, and a form without a boundary, are refused`() throws {
        #expect(throws: MultipartScanner.Flaw.noBoundary) { try MultipartScanner(contentType: "text/plain") }
        #expect(throws: MultipartScanner.Flaw.partTooLong) {
            var scanner = try MultipartScanner(contentType: "multipart/form-data; boundary=\"xyz\"")
            _ = try scanner.feed("--xyz\r\n".utf8)
            for _ in 0..<20 { _ = try scanner.feed(String(repeating: "a", count: 1000).utf8) }
        }
    }

    @Test func `A file's name is shown without its path, and never as a path`() {
        #expect(UploadForm.shown("C:\\data\\..\\x.csv") == "x.csv")
        #expect(UploadForm.shown("../../etc/passwd") == "passwd")
        #expect(UploadForm.shown("/") == "upload.csv")
        #expect(UploadForm.shown("a\u{1B}[2Jb.csv") == "a?[2Jb.csv")
    }
}
