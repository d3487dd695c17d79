internal import DRModel
internal import DRSupport

extension RunbookTests {
    /// The results as JUnit's XML: one suite a file.
    public static func junit(_ results: [TestResult]) -> String {
        var files: [String] = []
        for result in results where !files.contains(result.file) { files.append(result.file) }
        let failures = results.count { $0.failure != nil }
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"\(results.count)\" failures=\"\(failures)\">\n"
        for file in files {
            let own = results.filter { $0.file == file }
            text += "  <testsuite name=\"\(escaped(file))\" tests=\"\(own.count)\" failures=\"\(own.count { $0.failure != nil })\">\n"
            for result in own {
                let head =
                    "    <testcase classname=\"\(escaped(file))\" name=\"\(escaped(result.name))\" time=\"\(result.virtualTime.inSeconds)\""
                guard let failure = result.failure else {
                    text += head + "/>\n"
                    continue
                }
                text +=
                    head
                    + ">\n      <failure message=\"\(escaped(failure.message))\">\(escaped(([failure.description] + result.timeline).joined(separator: "\n")))</failure>\n    </testcase>\n"
            }
            text += "  </testsuite>\n"
        }
        return text + "</testsuites>\n"
    }

    // Control characters but line end and tab are not allowed in XML, however written.
    private static func escaped(_ text: String) -> String {
        String(
            text.unicodeScalars.map { scalar -> String in
                switch scalar {
                case "&": "&amp;"
                case "<": "&lt;"
                case ">": "&gt;"
                case "\"": "&quot;"
                case "\n", "\t": String(scalar)
                default: scalar.value < 32 ? "\u{FFFD}" : String(scalar)
                }
            }.joined())
    }
}
