/// `dr.runbook { ... }` whose fields and whose `run` are written out there.
struct RunbookCall {
    /// What `run` does with its parameters.
    struct Parameters {
        /// `p.NAME`, in the order of the text.
        let reads: [(name: String, line: Int)]
        /// It is handed on, or looked at by names that are worked out.
        let isHandedOn: Bool
        /// A field of it is assigned.
        let isWritten: Bool
    }

    /// The fields of `params`; empty when it declares none, nil when they are worked out.
    let declared: [LuaField]?
    /// Nil: `run` takes none.
    let parameters: Parameters?
}

extension LintSource {
    var runbooks: [RunbookCall] {
        calls.filter { $0.name == "runbook" }.compactMap { call in
            guard let fields = call.table(vocabulary), fields.allSatisfy({ $0.key?.string != nil }) else { return nil }
            func value(_ name: String) -> LuaExpression? { fields.first { $0.key?.string == name }?.value }
            guard let run = value("run")?.function else { return nil }
            var declared: [LuaField]? = []
            if let params = value("params") { if case .table(let written) = params.kind { declared = written } else { declared = nil } }
            return RunbookCall(declared: declared, parameters: run.parameters.first.map { .init(of: $0, in: run) })
        }
    }
}

extension RunbookCall.Parameters {
    init(of local: LuaLocal, in function: LuaFunctionBody) {
        var reads: [(name: String, line: Int)] = []
        var writes = false
        func field(_ expression: LuaExpression) -> String? {
            guard case .index(let value, let key) = expression.kind, case .local(let found) = value.kind, found === local else {
                return nil
            }
            return key.string
        }
        let block: ([LuaStatement]) -> Void = { statements in
            for case .assign(let targets, _) in statements.map(\.kind) where targets.contains(where: { field($0) != nil }) { writes = true }
        }
        LuaChunk.visit(function.body, block) { expression in
            if let name = field(expression) { reads.append((name, expression.line)) }
        }
        self.init(reads: reads, isHandedOn: local.reads > reads.count, isWritten: writes)
    }
}
