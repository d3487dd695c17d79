internal import DRSupport

/// A text as the rules see it: its tree, and every call of `dr` with what stands around it.
struct LintSource {
    let file: String
    let chunk: LuaChunk
    let vocabulary: LintVocabulary
    /// The applications of the configuration.
    let applications: [String]
    /// What `require` takes; nil where nobody knows.
    let modules: [String]?
    let calls: [DRCall]
    /// Every `dr.NAME`, called or not.
    let mentions: [(name: String, line: Int)]

    init(file: String, chunk: LuaChunk, vocabulary: LintVocabulary, applications: [String], modules: [String]?) {
        (self.file, self.chunk, self.vocabulary, self.applications, self.modules) = (file, chunk, vocabulary, applications, modules)
        var collector = CallCollector()
        collector.walk(chunk.body)
        (calls, mentions) = (collector.calls, collector.mentions)
    }

    func finding(_ rule: any LintRule, _ line: Int, _ message: String, hint: String? = nil) -> LintFinding {
        let type = type(of: rule)
        return LintFinding(rule: type.id, severity: type.severity, file: file, line: line, message: message, hint: hint)
    }

    /// Is there a verb in it that changes or asks something?
    func hasVerb(_ statements: [LuaStatement]) -> Bool { verbs(in: statements).first != nil }

    func verbs(in statements: [LuaStatement]) -> [DRCall] {
        var collector = CallCollector()
        collector.walk(statements)
        return collector.calls.filter { vocabulary.isVerb($0.name) }
    }

    func calls(in expressions: [LuaExpression]) -> [DRCall] {
        var collector = CallCollector()
        for expression in expressions { collector.walk(expression) }
        return collector.calls
    }
}

/// `dr.NAME(...)`.
struct DRCall {
    let name: String
    let arguments: [LuaExpression]
    let line: Int
    /// The functions it stands in, outermost first.
    let functions: [LuaFunctionBody]
    /// The functions of `dr` that were given the function it stands in: `retry`, `step`.
    let within: [String]

    /// The constructor of its table, if it stands in the call.
    func table(_ vocabulary: LintVocabulary) -> [LuaField]? {
        guard let index = vocabulary.functions[name]?.table, index < arguments.count, case .table(let fields) = arguments[index].kind else {
            return nil
        }
        return fields
    }
}

private struct CallCollector {
    var calls: [DRCall] = []
    var mentions: [(name: String, line: Int)] = []
    private var functions: [LuaFunctionBody] = []
    private var within: [String] = []

    mutating func walk(_ statements: [LuaStatement]) {
        for statement in statements {
            for expression in statement.expressions { walk(expression) }
            for block in statement.blocks { walk(block) }
            if case .localFunction(_, let function) = statement.kind { walk(function) }
        }
    }

    private mutating func walk(_ function: LuaFunctionBody) {
        functions.append(function)
        walk(function.body)
        functions.removeLast()
    }

    mutating func walk(_ expression: LuaExpression) {
        if let name = expression.drMember { mentions.append((name, expression.line)) }
        if case .call(let callee, let arguments) = expression.kind, let name = callee.drMember {
            calls.append(DRCall(name: name, arguments: arguments, line: callee.line, functions: functions, within: within))
            mentions.append((name, callee.line))
            within.append(name)
            for argument in arguments { walk(argument) }
            within.removeLast()
            return
        }
        if case .function(let function) = expression.kind { return walk(function) }
        for child in expression.children { walk(child) }
    }
}
