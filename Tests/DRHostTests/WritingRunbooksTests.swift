import DRHost
import Foundation
import Testing

/// docs/writing-runbooks.md, followed to the letter from an empty folder.
@Suite(.waitsForProcesses) struct WritingRunbooksTests {
    private struct Step {
        let command: String
        /// Where its output goes.
        let file: String?
    }

    private static let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "docs/writing-runbooks.md")

    /// Files that the page says to write, and commands it says to run, in order.
    private func read() throws -> (files: [(path: String, text: String)], steps: [Step]) {
        var files: [(path: String, text: String)] = []
        var steps: [Step] = []
        var isFile = false
        for line in try String(contentsOf: Self.page, encoding: .utf8).components(separatedBy: "\n") {
            if line.hasPrefix("`runbooks/"), line.hasSuffix("`:") {
                files.append((String(line.dropFirst().dropLast(2)), ""))
                isFile = true
            } else if line.hasPrefix("    drrunbook ") {
                isFile = false
                let command = line.components(separatedBy: "  #")[0].trimmingCharacters(in: .whitespaces)
                let parts = command.components(separatedBy: " > ")
                steps.append(Step(command: parts[0], file: parts.count > 1 ? parts[1] : nil))
            } else if isFile, line.hasPrefix("    ") || line.isEmpty {
                files[files.count - 1].text += line.dropFirst(4) + "\n"
            } else {
                isFile = false
            }
        }
        return (files, steps)
    }

    private func words(_ command: String) -> [String] {
        var words = [""]
        var isQuoted = false
        for character in command {
            switch character {
            case "\"": isQuoted.toggle()
            case " " where !isQuoted: words.append("")
            default: words[words.count - 1].append(character)
            }
        }
        return words
    }

    @Test func `Every command of the page works as it stands there`() throws {
        let (files, steps) = try read()
        let names = ["move", "move_test", "quiet", "check"]
        #expect(files.map(\.path) == names.map { "runbooks/\($0).lua" } && steps.count >= 16)
        let shop = try ShopFixture()
        for file in files { try shop.write(file.path, file.text) }
        for step in steps where !step.command.hasPrefix("drrunbook init") {
            var arguments = Array(words(step.command).dropFirst())
            // What a terminal would be asked; and of every schedule a few.
            if arguments.starts(with: ["run", "runbooks/move.lua"]) { arguments.append("--yes") }
            if arguments.first == "explore" { arguments += ["--limit", "5"] }
            let answer = try shop.drrunbook(arguments)
            let isRefused = arguments.contains("--without")
            #expect(answer.status == (isRefused ? 5 : 0), "\(step.command): \(answer.output)\(answer.error)")
            if let file = step.file { #expect(try shop.read(file) == answer.output, "\(step.command)") }
            if arguments.contains("--coverage") { #expect(answer.output.contains("100 %"), "\(answer.output)") }
        }
        #expect(try shop.drrunbook("status").output.contains("west: active"))
    }
}
