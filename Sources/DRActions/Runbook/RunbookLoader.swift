internal import DRModel
internal import LuaBridge

/// Makes a Lua state with the `dr` library and loads a runbook into it.
struct RunbookLoader {
    let sources: RunbookSources
    let registry: ActionRegistry
    let inventory: Inventory
    let outside: any Outside
    let approvals: ApprovalRules
    let limits: RunLimits
    let seed: Int64
    let coverage: LuaCoverage?

    /// Throws `runbook` with file and line.
    func load(_ record: RunRecord) throws -> (session: RunSession, runbook: Runbook) {
        let lua = Lua(
            limits: LuaLimits(
                memory: Int(limits.memory.bytes), processorTime: limits.computing, output: Int(limits.output.bytes)),
            seed: UInt64(bitPattern: seed), coverage: coverage, output: { record.tell(.log($0, path: [])) })
        let session = RunSession(
            lua: lua, registry: registry, inventory: inventory, outside: outside, approvals: approvals, record: record,
            branchLimit: limits.branches,
            file: sources.main.file)
        do {
            try HostLibrary(session: session).install()
            lua.modules = { [sources] name in
                let module = try sources.module(named: name)
                return LuaModule(source: module.text, chunkName: module.file)
            }
            let main = sources.main
            let returned = try lua.load(main.text, name: main.file).call().first
            guard let runbook = session.choose(returned) else {
                throw DRError(
                    .runbook, "a runbook file returns one dr.runbook{...}",
                    hint: "end the file with: return dr.runbook { name = ..., run = function(p) ... end }",
                    location: SourceLocation(file: main.file, line: 1))
            }
            return (session, runbook)
        } catch let error as LuaError {
            throw DRError(script: error).asRunbookError
        }
    }
}

extension DRError {
    /// A file that cannot be loaded is a wrong runbook, whatever was raised in it.
    fileprivate var asRunbookError: DRError {
        code == .script ? DRError(.runbook, message, hint: hint, location: location, verb: verb) : self
    }
}
