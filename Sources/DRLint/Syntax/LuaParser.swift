/// Parses Lua 5.4 by recursive descent. Its time and memory grow with the text; nesting is limited as it is in Lua.
struct LuaParser {
    let tokens: [LuaToken]
    var position = 0
    var depth = 0
    var locals: [LuaLocal] = []
    // What can be seen from here, innermost last.
    var scopes: [[LuaLocal]] = [[]]

    static let deepest = 180

    static func parse(_ text: String) throws(LuaSyntaxError) -> LuaChunk {
        let (tokens, comments) = try LuaLexer.tokens(of: text)
        var parser = LuaParser(tokens: tokens)
        let body = try parser.block()
        guard parser.token.kind == .end else { throw parser.unexpected() }
        return LuaChunk(body: body, locals: parser.locals, comments: comments)
    }

    private init(tokens: [LuaToken]) { self.tokens = tokens }

    // MARK: Tokens

    var token: LuaToken { tokens[position] }

    func unexpected() -> LuaSyntaxError { LuaSyntaxError(line: token.line, message: "unexpected \(token.kind)") }

    mutating func advance() { if position < tokens.count - 1 { position += 1 } }

    func isSymbol(_ symbol: String) -> Bool { token.kind == .symbol(symbol) }
    func isKeyword(_ keyword: LuaToken.Keyword) -> Bool { token.kind == .keyword(keyword) }

    mutating func take(_ symbol: String) -> Bool {
        guard isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func take(_ keyword: LuaToken.Keyword) -> Bool {
        guard isKeyword(keyword) else { return false }
        advance()
        return true
    }

    mutating func expect(_ symbol: String) throws(LuaSyntaxError) {
        guard take(symbol) else { throw unexpected() }
    }

    mutating func expect(_ keyword: LuaToken.Keyword) throws(LuaSyntaxError) {
        guard take(keyword) else { throw unexpected() }
    }

    mutating func name() throws(LuaSyntaxError) -> String {
        guard case .name(let name) = token.kind else { throw unexpected() }
        advance()
        return name
    }

    mutating func nested<Result>(_ parse: (inout LuaParser) throws(LuaSyntaxError) -> Result) throws(LuaSyntaxError) -> Result {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.deepest else { throw LuaSyntaxError(line: token.line, message: "nested too deeply") }
        return try parse(&self)
    }

    // MARK: Names

    mutating func declare(_ name: String, _ line: Int, _ role: LuaLocal.Role) -> LuaLocal {
        let local = LuaLocal(name: name, line: line, role: role)
        locals.append(local)
        scopes[scopes.count - 1].append(local)
        return local
    }

    func resolve(_ name: String) -> LuaExpression.Kind {
        for scope in scopes.reversed() {
            if let local = scope.last(where: { $0.name == name }) {
                local.reads += 1
                return .local(local)
            }
        }
        return .global(name)
    }

    mutating func scoped<Result>(_ parse: (inout LuaParser) throws(LuaSyntaxError) -> Result) throws(LuaSyntaxError) -> Result {
        scopes.append([])
        defer { scopes.removeLast() }
        return try parse(&self)
    }

    // MARK: Statements

    var endsBlock: Bool {
        switch token.kind {
        case .end, .keyword(.end), .keyword(.else), .keyword(.elseif), .keyword(.until): true
        default: false
        }
    }

    mutating func block() throws(LuaSyntaxError) -> [LuaStatement] {
        try scoped { parser throws(LuaSyntaxError) in try parser.statements() }
    }

    mutating func statements() throws(LuaSyntaxError) -> [LuaStatement] {
        var statements: [LuaStatement] = []
        while !endsBlock {
            let isLast = isKeyword(.return)
            if let statement = try nested({ parser throws(LuaSyntaxError) in try parser.statement() }) { statements.append(statement) }
            if isLast { break }
        }
        return statements
    }

    mutating func statement() throws(LuaSyntaxError) -> LuaStatement? {
        let line = token.line
        func make(_ kind: LuaStatement.Kind) -> LuaStatement { LuaStatement(kind: kind, line: line) }
        switch token.kind {
        case .symbol(";"):
            advance()
            return nil
        case .symbol("::"):
            advance()
            _ = try name()
            try expect("::")
            return nil
        case .keyword(.break):
            advance()
            return make(.other)
        case .keyword(.goto):
            advance()
            _ = try name()
            return make(.other)
        case .keyword(.do):
            advance()
            let body = try block()
            try expect(.end)
            return make(.do(body))
        case .keyword(.while):
            advance()
            let condition = try expression()
            try expect(.do)
            let body = try block()
            try expect(.end)
            return make(.while(condition, body))
        case .keyword(.repeat):
            advance()
            // The condition sees the locals of the body.
            return try scoped { parser throws(LuaSyntaxError) in
                let body = try parser.statements()
                try parser.expect(.until)
                return make(.repeat(body, until: try parser.expression()))
            }
        case .keyword(.if): return make(try conditional())
        case .keyword(.for): return make(try loop())
        case .keyword(.function): return make(try namedFunction())
        case .keyword(.local): return make(try local())
        case .keyword(.return):
            advance()
            let values = endsBlock || isSymbol(";") ? [] : try expressions()
            _ = take(";")
            return make(.return(values))
        default: return make(try assignmentOrCall())
        }
    }

    mutating func conditional() throws(LuaSyntaxError) -> LuaStatement.Kind {
        var branches: [(condition: LuaExpression, body: [LuaStatement])] = []
        repeat {
            advance()
            let condition = try expression()
            try expect(.then)
            branches.append((condition, try block()))
        } while isKeyword(.elseif)
        let otherwise = take(.else) ? try block() : []
        try expect(.end)
        return .if(branches, otherwise: otherwise)
    }

    mutating func loop() throws(LuaSyntaxError) -> LuaStatement.Kind {
        advance()
        var names = [(name: try name(), line: token.line)]
        let isNumeric = isSymbol("=")
        while !isNumeric, take(",") { names.append((try name(), token.line)) }
        if isNumeric { try expect("=") } else { try expect(.in) }
        let values = try expressions()
        try expect(.do)
        return try scoped { parser throws(LuaSyntaxError) in
            let variables = names.map { parser.declare($0.name, $0.line, .loop) }
            let body = try parser.statements()
            try parser.expect(.end)
            return isNumeric ? .numericFor(variables[0], values, body) : .genericFor(variables, values, body)
        }
    }

    mutating func namedFunction() throws(LuaSyntaxError) -> LuaStatement.Kind {
        let line = token.line
        advance()
        var target = LuaExpression(kind: resolve(try name()), line: line)
        if case .local(let local) = target.kind, !isSymbol("."), !isSymbol(":") {
            local.reads -= 1
            local.assignments.append(line)
        }
        var isMethod = false
        while isSymbol(".") || isSymbol(":") {
            isMethod = isSymbol(":")
            advance()
            target = LuaExpression(kind: .index(target, key: LuaExpression(kind: .string(try name()), line: line)), line: line)
            if isMethod { break }
        }
        let body = try function(line, isMethod: isMethod)
        return .assign([target], [LuaExpression(kind: .function(body), line: line)])
    }

    mutating func local() throws(LuaSyntaxError) -> LuaStatement.Kind {
        advance()
        let line = token.line
        if take(.function) {
            let name = try name()
            let local = declare(name, line, .function)
            return .localFunction(local, try function(line, isMethod: false))
        }
        var names = [try attributed()]
        while take(",") { names.append(try attributed()) }
        // The values do not see the new names.
        let values = take("=") ? try expressions() : []
        let locals = names.map { name in
            let local = declare(name.name, name.line, .variable)
            if name.isClosed { local.reads = 1 }
            return local
        }
        return .local(locals, values)
    }

    // `name <close>` is used by going out of scope.
    mutating func attributed() throws(LuaSyntaxError) -> (name: String, line: Int, isClosed: Bool) {
        let line = token.line
        let name = try name()
        guard take("<") else { return (name, line, false) }
        let attribute = try self.name()
        try expect(">")
        return (name, line, attribute == "close")
    }

    mutating func assignmentOrCall() throws(LuaSyntaxError) -> LuaStatement.Kind {
        let first = try suffixed()
        guard isSymbol("=") || isSymbol(",") else {
            switch first.kind {
            case .call, .method: return .expression(first)
            default: throw unexpected()
            }
        }
        var targets = [first]
        while take(",") { targets.append(try suffixed()) }
        try expect("=")
        let values = try expressions()
        for target in targets {
            // Giving it a value is not reading it.
            if case .local(let local) = target.kind {
                local.reads -= 1
                local.assignments.append(target.line)
            }
        }
        return .assign(targets, values)
    }
}
