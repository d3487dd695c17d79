import Foundation
import LuaBridge
import Testing

/// The scripts of Hostile/, each with the outcome it must have in its first line:
///
///     -- ends: limit|memory|output      a termination, which nothing in the script catches
///     -- raises: TEXT                   an ordinary error with this in its message
///     -- gives: VALUES                  these results, as tostring shows them
///
/// or one or more of the three words without details, joined by `or`.
struct HostileScript: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    let outcome: String
    var testDescription: String { name }

    /// Those that call async functions; see AwaitTests.
    static let awaiting = files.filter { $0.name.hasPrefix("await-") }
    static let all = files.filter { !$0.name.hasPrefix("await-") }

    private static let files: [HostileScript] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Hostile")
        let files = (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
        return files.filter { $0.pathExtension == "lua" }.sorted { $0.path < $1.path }.compactMap { file in
            guard let text = try? String(contentsOf: file, encoding: .utf8), let first = text.split(separator: "\n").first else {
                return nil
            }
            return HostileScript(name: file.lastPathComponent, text: text, outcome: String(first.dropFirst(3)))
        }
    }()

    /// Is this the outcome the script must have?
    func expect(_ outcome: String) {
        let allowed = self.outcome
        if !allowed.contains(":") {
            #expect(allowed.split(separator: " ").contains(outcome.prefix { $0 != ":" }), "\(outcome.prefix(300))")
        } else if allowed.hasPrefix("raises: ") {
            let text = allowed.dropFirst(8)
            #expect(outcome.hasPrefix("raises: ") && (text.isEmpty || outcome.contains(text)), "\(outcome.prefix(300))")
        } else {
            #expect(outcome.prefix(300) == allowed)
        }
    }

    static let endless = all.filter { $0.outcome == "ends: limit" }
}

private final class Thing: LuaObject {
    static var luaTypeName: String { "thing" }
    static func describe(_ type: LuaType<Thing>) {
        type.method("describe") { (thing: Thing) -> String in "a thing" }
    }
}

@Suite struct CorpusTests {
    // `driven`: in a coroutine of the host, as runbooks are, and not by a plain call.
    private func run(_ script: HostileScript, _ limits: LuaLimits, driven: Bool = false) throws -> (outcome: String, Lua) {
        let lua = Lua(limits: limits, modules: { _ in nil })
        try lua.register("host") { (number: Int) -> Int in number + 1 }
        try lua.register("object") { () -> Thing in Thing() }
        do {
            let chunk = try lua.load(script.text, name: "hostile.lua")
            var values: [LuaValue] = []
            if driven {
                if case .returned(let results) = try lua.coroutine(chunk).resume() { values = results }
            } else {
                values = try chunk.call()
            }
            return ("gives: " + (try values.map { try lua.text(of: $0) }.joined(separator: " ")), lua)
        } catch let error as LuaError where error.isTermination {
            let kind = error.message.hasPrefix("output") ? "output" : error.kind == .memory ? "memory" : "limit"
            return ("ends: \(kind)", lua)
        } catch let error as LuaError {
            return ("raises: \(error.message)", lua)
        }
    }

    @Test func `the corpus is there`() {
        #expect(HostileScript.all.count >= 150)
    }

    @Test(arguments: HostileScript.all) func `G7 a hostile script has the outcome it must have, and the state goes on`(
        script: HostileScript
    ) throws {
        var limits = LuaLimits(memory: 6 << 20, instructions: 1_000_000, processorTime: .seconds(30))
        limits.output = 1 << 20
        let (outcome, lua) = try run(script, limits)
        script.expect(outcome)
        #expect(try lua.load("return 1 + 1", name: "after.lua").call() == [2])
    }

    @Test(arguments: HostileScript.all) func `G7 a hostile script in a coroutine of the host has the same outcome`(script: HostileScript)
        throws
    {
        var limits = LuaLimits(memory: 6 << 20, instructions: 1_000_000, processorTime: .seconds(30))
        limits.output = 1 << 20
        let (outcome, lua) = try run(script, limits, driven: true)
        script.expect(outcome)
        #expect(try lua.load("return 1 + 1", name: "after.lua").call() == [2])
    }

    // The same by the clock: no instruction is counted, the watcher interrupts.
    @Test(arguments: HostileScript.endless) func `G7 processor time alone ends a hostile script`(script: HostileScript) throws {
        let (outcome, lua) = try run(
            script, LuaLimits(memory: 16 << 20, processorTime: .milliseconds(15)), driven: script.text.utf8.count % 2 == 0)
        script.expect(outcome)
        #expect(try lua.load("return 1 + 1", name: "after.lua").call() == [2])
    }
}
