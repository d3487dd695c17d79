import DRModel
import Foundation
import Testing

@testable import DROutside

@Suite struct ProgramTests {
    @Test func `a program gets its words, its folder and a minimal environment with key and mode`() async throws {
        let place = try Place()
        place.environment = ["HOME": "/home/me", "AWS_SECRET_ACCESS_KEY": "not-for-programs"]
        try place.program("show", #"pwd; printf '%s|' "$@"; echo; env | sort"#, environment: ["MINE"])
        let ended = try await place.outside().execute(
            ExecutionOrder(argv: ["show", "a b", "$HOME;x", ""], environment: ["MINE": .plain("1")]), Place.call())
        let lines = ended.stdout.split(separator: "\n").map(String.init)
        #expect(ended.code == 0 && !ended.cut && ended.origin == .performed)
        #expect(lines.prefix(2) == [place.folder.resolvingSymlinksInPath().path, "a b|$HOME;x||"])
        let names = lines.dropFirst(2).map { String($0.prefix { $0 != "=" }) }
        #expect(
            Set(names).subtracting(["PWD", "OLDPWD", "SHLVL", "_"]) == [
                "PATH", "LANG", "HOME", "MINE", "DRRUNBOOK_RUN", "DRRUNBOOK_KEY", "DRRUNBOOK_MODE",
            ])
        #expect(lines.contains("DRRUNBOOK_KEY=run-1/0/3/1/do") && lines.contains("DRRUNBOOK_MODE=live"))
    }

    @Test func `status, signal, output and errors come back apart`() async throws {
        let place = try Place()
        try place.program("both", "echo out; echo err >&2; exit 3")
        try place.program("dies", "kill -9 $$")
        let ended = try await place.outside().execute(ExecutionOrder(argv: ["both"]), Place.call())
        #expect((ended.code, ended.stdout, ended.stderr) == (3, "out\n", "err\n"))
        #expect(try await place.outside().execute(ExecutionOrder(argv: ["dies"]), Place.call()).code == 137)
    }

    @Test func `input larger than a pipe arrives whole, and a program that does not read it harms nobody`() async throws {
        let place = try Place()
        try place.program("count", "wc -c")
        try place.program("deaf", "exec 0<&-; echo done")
        let text = String(repeating: "x", count: 300_000)
        let counted = try await place.outside().execute(ExecutionOrder(argv: ["count"], input: .plain(text)), Place.call())
        #expect(counted.stdout.filter(\.isNumber) == "300000")
        let deaf = try await place.outside().execute(ExecutionOrder(argv: ["deaf"], input: .plain(text)), Place.call())
        #expect((deaf.code, deaf.stdout) == (0, "done\n"))
    }

    @Test func `output beyond the limit is read, thrown away and marked`() async throws {
        let place = try Place()
        try place.program("loud", "head -c 1000000 /dev/zero | tr '\\0' a; echo end >&2")
        let ended = try await place.outside().execute(ExecutionOrder(argv: ["loud"]), Place.call())
        #expect(ended.code == 0 && ended.cut && ended.stdout.utf8.count == ProgramRun.kept)
        #expect(ended.stderr == "end\n")
    }

    @Test func `on timeout the whole process group goes, those that ignore the request too`() async throws {
        let place = try Place()
        try place.program("slow", "sh -c 'trap \"\" TERM; echo $$ > child; while :; do sleep 5; done' & echo began; wait")
        await #expect {
            try await place.outside().execute(ExecutionOrder(argv: ["slow"], timeout: .milliseconds(300)), Place.call())
        } throws: {
            code($0) == .timeout && ($0 as? DRError)?.details?["stdout"].string == "began\n"
        }
        let child = try #require(Int32((place.read("child") ?? "").trimmingCharacters(in: .whitespacesAndNewlines)))
        // Gone, or a zombie that only waits for init.
        let state = (try? String(contentsOfFile: "/proc/\(child)/stat", encoding: .utf8))?.split(separator: ")").last?.split(separator: " ")
            .first
        #expect(state == nil || state == "Z")
    }

    @Test func `what it leaves running does not hold us up`() async throws {
        let place = try Place()
        try place.program("daemon", "sleep 20 & echo $!")
        let ended = try await place.outside().execute(ExecutionOrder(argv: ["daemon"]), Place.call())
        #expect(ended.code == 0)
        if let child = Int32(ended.stdout.trimmingCharacters(in: .whitespacesAndNewlines)) { kill(child, SIGKILL) }
    }

    @Test(arguments: [
        (["sql"], #"does not allow the program "sql""#, "did you mean \"psql\" (dr.yaml:7)?"),
        (["psql", "--file", "x"], #"dr.yaml:7 allows psql with "--no-psqlrc", "*", not with "--file", "x""#, "`*` stands"),
        (["/bin/sh", "-c", "true"], #"does not allow the program "/bin/sh""#, "allowed: psql, copy"),
        (["copy", "/srv/.."], "dr.yaml:8 allows copy with", "`*`"), (["copy", "/srv/a/b"], "dr.yaml:8 allows copy with", "`*`"),
        (["copy", "/srv/a", "more"], "dr.yaml:8 allows copy with", "`*`"), (["copy"], "not with none", "`*`"),
    ])
    func `G7 what dr.yaml does not allow is refused with the nearest entry`(argv: [String], message: String, hint: String) async throws {
        let place = try Place()
        try place.program("psql", "touch ran", arguments: ["--no-psqlrc", "*"])
        try place.program("copy", "touch ran", arguments: ["/srv/*"], line: 8)
        for predicts in [false, true] {
            let effects = EffectLog()
            await #expect {
                try await place.outside(predicts: predicts).execute(ExecutionOrder(argv: argv), Place.call(effects: effects))
            } throws: { error in
                guard let error = error as? DRError else { return false }
                return error.code == .notAllowed && error.message.contains(message) && error.hint?.contains(hint) == true
            }
            #expect(effects.effects.isEmpty)
        }
        #expect(place.read("ran") == nil)
    }

    @Test func `patterns allow what they say`() {
        #expect(ProgramRule.matches(["--no-psqlrc"], ["--no-psqlrc", "*"]))
        #expect(ProgramRule.matches(["--no-psqlrc", "a", "b/c"], ["--no-psqlrc", "*"]))
        #expect(ProgramRule.matches(["x/y", "end"], ["*", "end"]))
        #expect(!ProgramRule.matches(["x", "y", "end"], ["*", "end"]))
        #expect(ProgramRule.matches(["--db=shop-7"], ["--db=shop-*"]))
        #expect(ProgramRule.matches(["aXbYc"], ["a*b*c"]) && !ProgramRule.matches(["aXbYd"], ["a*b*c"]))
        #expect(ProgramRule.matches([], []) && !ProgramRule.matches(["x"], []))
    }

    @Test(arguments: ["LD_PRELOAD", "PATH", "BASH_ENV", "DRRUNBOOK_MODE", "GIT_CONFIG_COUNT", "HOME", "PGPASSWORT"])
    func `G7 a call sets only the variables that dr.yaml names, so it cannot make a program load something else`(name: String) async throws
    {
        let place = try Place()
        try place.program("psql", "true", environment: ["PGPASSWORD"])
        await #expect {
            try await place.outside(predicts: true).execute(
                ExecutionOrder(argv: ["psql"], environment: [name: .plain("x")]), Place.call())
        } throws: {
            code($0) == .notAllowed && ($0 as? DRError)?.message == "dr.yaml:7 does not let a call of psql set \(name)"
                && ($0 as? DRError)?.hint == (name == "PGPASSWORT" ? "did you mean PGPASSWORD?" : "allowed: PGPASSWORD")
        }
    }

    @Test func `G4 a plan runs nothing and says what it would call`() async throws {
        let place = try Place()
        try place.program("psql", "touch ran")
        let effects = EffectLog()
        let invented = try await place.outside(predicts: true).execute(ExecutionOrder(argv: ["psql"]), Place.call(effects: effects))
        #expect((invented.code, invented.stdout, invented.origin) == (0, "", .predicted))
        let given = try await place.outside(predicts: true).execute(
            ExecutionOrder(argv: ["psql"], standIn: StandIn(inPlan: ["code": 2, "stdout": "x"])), Place.call())
        #expect((given.code, given.stdout) == (2, "x"))
        #expect(effects.effects.map(\.text) == ["call exec psql"])
        #expect(place.read("ran") == nil)
    }

    @Test func `G5 a drill leaves programs out unless the call says otherwise`() async throws {
        let place = try Place()
        try place.program("note", "echo $DRRUNBOOK_MODE >> ran")
        func execute(_ answer: DrillAnswer) async throws -> Execution {
            try await place.outside().execute(ExecutionOrder(argv: ["note"], standIn: StandIn(inDrill: answer)), Place.call(as: .drill))
        }
        #expect(try await execute(.unsaid).origin == .skipped)
        #expect(try await execute(.skip).origin == .skipped)
        #expect(try await execute(.answer(["stdout": "y"])).stdout == "y")
        #expect(place.read("ran") == nil)
        #expect(try await execute(.run).origin == .performed)
        #expect(place.read("ran") == "drill\n")
    }

    @Test func `a program that is not there says so`() async throws {
        let place = try Place()
        place.allowances.programs = [Allowances.Program(name: "psql", path: "/nowhere/psql", arguments: ["*"])]
        await #expect { try await place.outside().execute(ExecutionOrder(argv: ["psql"]), Place.call()) } throws: {
            code($0) == .outsideFailed && "\($0)".contains("/nowhere/psql")
        }
    }
}
