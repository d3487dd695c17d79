import ArgumentParser
import DRActions
import DRHost
import DRModel
import DRSupport

struct Explain: HostCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, md, json
        case luaStubs = "lua-stubs"
    }

    static let configuration = CommandConfiguration(
        abstract: "The reference of every verb, from its declaration.",
        discussion: """
            EXAMPLE
              drrunbook explain
              drrunbook explain failover
              drrunbook explain failover.mode
              drrunbook explain checks
              drrunbook explain --format lua-stubs > runbooks/.luals/dr.lua
            """)

    @Argument(help: ArgumentHelp("A verb, or one of its fields.", valueName: "verb[.field]"))
    var subject: String?
    @Option(name: .long, help: "text, md, json or lua-stubs; md and lua-stubs are of all verbs.")
    var format: Format = .text
    @OptionGroup var common: CommonOptions

    func perform(_ output: Output) async throws -> ExitStatus {
        let reference = Reference()
        let name = subject.map { $0.hasPrefix("dr.") ? String($0.dropFirst(3)) : $0 }
        switch common.json ? .json : format {
        case .md: Output.write(reference.markdown(), to: 1)
        case .luaStubs: Output.write(reference.luaStubs(), to: 1)
        case .json: try writeObjects(reference, name)
        case .text: Output.write(try name.map { try text(reference, $0) } ?? reference.overview(), to: 1)
        }
        return .done
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
