import ArgumentParser
import DRActions
import DRHost
import DRModel
import DRSupport

struct Explain: HostCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, md, json
        case luaStubs = "lua-stubs"
        case luarc, luacheckrc
    }

    static let configuration = CommandConfiguration(
        abstract: "The reference of every verb and of dr.test, from its declaration.",
        discussion: """
            EXAMPLE
              drrunbook explain
              drrunbook explain failover
              drrunbook explain failover.mode
              drrunbook explain checks
              drrunbook explain dr.test
              drrunbook explain t.called
              drrunbook explain --format lua-stubs > runbooks/.luals/dr.lua
              drrunbook explain dr.test --format lua-stubs > runbooks/.luals/dr.test.lua
              drrunbook explain --format luacheckrc > .luacheckrc
            """)

    @Argument(help: ArgumentHelp("A verb, one of its fields, dr.test, or a function of it.", valueName: "verb[.field]"))
    var subject: String?
    @Option(name: .long, help: "text, md, json, lua-stubs, luarc or luacheckrc; all but text and json are of all verbs.")
    var format: Format = .text
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        let reference = Reference()
        if let subject, let text = try ofTests(subject) {
            Output.write(text, to: 1)
            return .done
        }
        let name = subject.map { $0.hasPrefix("dr.") ? String($0.dropFirst(3)) : $0 }
        switch common.json ? .json : format {
        case .md: Output.write(reference.markdown(), to: 1)
        case .luaStubs: Output.write(reference.luaStubs(), to: 1)
        case .luarc: Output.write(EditorFiles.languageServer, to: 1)
        case .luacheckrc: Output.write(try EditorFiles.luacheck(reference), to: 1)
        case .json: try writeObjects(reference, name)
        case .text: Output.write(try name.map { try text(reference, $0) } ?? reference.overview(), to: 1)
        }
        return .done
    }

    /// Nil: it is about a verb.
    private func ofTests(_ name: String) throws -> String? {
        if name == "dr.test" { return format == .luaStubs ? TestReference.luaStubs() : TestReference.overview() }
        guard ["t.", "sim.", "sim:"].contains(where: name.hasPrefix) else { return nil }
        guard let text = TestReference.text(for: name) else {
            throw DRError(
                .unknownName, "there is no \"\(name)\" in dr.test\(Spelling.hint(for: name, in: TestReference.names))",
                hint: "`drrunbook explain dr.test` lists its functions")
        }
        return text
    }

    private func text(_ reference: Reference, _ name: String) throws -> String {
        guard let text = reference.text(for: name) else { throw unknown(name, reference) }
        return name == "checks" ? text + "\n" + CheckReference.text() : text
    }

    private func writeObjects(_ reference: Reference, _ name: String?) throws {
        let lines = JSONLines()
        let verbs = reference.json().list ?? []
        guard let name else {
            for verb in verbs { lines.write("verb", JSONLines.members(of: verb)) }
            return
        }
        let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
        guard let verb = verbs.first(where: { $0["name"].string == parts.first }) else { throw unknown(name, reference) }
        guard parts.count == 2 else {
            lines.write("verb", JSONLines.members(of: verb))
            guard name == "checks" else { return }
            for check in CheckReference.all { lines.write("check", [("id", .string(check.id)), ("summary", .string(check.summary))]) }
            return
        }
        guard let field = verb["fields"].list?.first(where: { $0["name"].string == parts[1] }) else { throw unknown(name, reference) }
        lines.write("field", JSONLines.members(of: field))
    }

    private func unknown(_ name: String, _ reference: Reference) -> DRError {
        let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
        let verb = reference.json().list?.first { $0["name"].string == parts.first }
        if let verb, parts.count == 2 {
            let fields = verb["fields"].list?.compactMap { $0["name"].string } ?? []
            return DRError(
                .unknownName, "\(parts[0]) has no field \"\(parts[1])\"\(Spelling.hint(for: parts[1], in: fields))",
                hint: "fields: " + fields.joined(separator: ", "))
        }
        return DRError(
            .unknownName, "there is no verb \"\(name)\"\(Spelling.hint(for: parts.first ?? name, in: reference.names))",
            hint: "`drrunbook explain` lists them")
    }
}

/// The checks by the name that other tools give them: the second half of `explain checks`.
struct Actions: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Lists what runbooks can ask for.", shouldDisplay: false, subcommands: [CheckList.self])

    struct CheckList: HostCommand {
        static let configuration = CommandConfiguration(
            commandName: "checks", abstract: "Lists the checks with what must hold.",
            discussion: """
                EXAMPLE
                  drrunbook actions checks
                """)
        @OptionGroup var common: CommonOptions

        func perform(_ output: Output) async throws -> ExitStatus {
            if output.lines == nil { Output.write(CheckReference.text(), to: 1) }
            for check in CheckReference.all { output.object("check", [("id", .string(check.id)), ("summary", .string(check.summary))]) }
            return .done
        }
    }
}
