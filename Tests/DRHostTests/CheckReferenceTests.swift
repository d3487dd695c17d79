import DRHost
import Foundation
import Testing

@Suite struct CheckReferenceTests {
    @Test func `docs checks md lists the checks there are`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let url = root.appending(path: "docs/checks.md")
        if ProcessInfo.processInfo.environment["RECORD"] != nil {
            try CheckReference.markdown().write(to: url, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: url, encoding: .utf8) == CheckReference.markdown(), "run `make record` and commit docs/checks.md")
        #expect(CheckReference.text().split(separator: "\n").count == CheckReference.all.count + 1)
    }
}
