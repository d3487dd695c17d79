internal import DRModel
internal import LuaBridge

// What a script puts into the record besides its actions.
extension RunSession {
    func log(_ text: String) throws {
        guard let branch = current else { throw DRError(.runbook, "log may be called only inside run") }
        try record.log(JournalEntry(.log, key: branch.nextPlace(), path: branch.path, verb: "log", payload: .string(text)))
    }

    /// The handle of a secret. What was said of it the first time, refusals too, is said again on replay.
    func secret(_ text: String) throws -> SecretName {
        let answer = try uncatchable {
            try input("secret") {
                do {
                    let mark = try outside.fingerprint(of: try SecretName(text))
                    return ["name": .string(text), "fingerprint": mark.map(Value.string) ?? .null]
                } catch {
                    return ["name": .string(text), "error": (try? Value(encoding: DRError(any: error))) ?? .null]
                }
            }
        }
        guard answer["name"].string == text else {
            throw LuaStop(
                DRError(.replayMismatch, "the history holds secret \(answer["name"].string ?? "?"), now the runbook asks for \(text)"))
        }
        guard answer["error"].isNull else { throw try answer["error"].decoded(as: DRError.self) }
        return try SecretName(text)
    }

    /// Notes what became of an undo.
    func note(_ undo: RunReport.Undo) throws {
        guard let branch = current else { throw DRError(.internal, "an undo outside a branch") }
        try record.note(JournalEntry(.note, key: branch.nextPlace(), path: branch.path, verb: "undo", payload: try Value(encoding: undo)))
    }

    /// Adds to what the run gives to whoever comes after it.
    func results(_ value: Value) throws {
        guard let branch = current else { throw DRError(.runbook, "results may be called only inside run") }
        try record.results(JournalEntry(.note, key: branch.nextPlace(), path: branch.path, verb: "results", payload: value))
    }
}
