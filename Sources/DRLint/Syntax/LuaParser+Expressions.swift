extension LuaParser {
    mutating func expressions() throws(LuaSyntaxError) -> [LuaExpression] {
        var list = [try expression()]
        while take(",") { list.append(try expression()) }
        return list
    }

    private static let unaryPriority = 12
    private static let priorities: [String: (left: Int, right: Int)] = [
        "or": (1, 1), "and": (2, 2), "<": (3, 3), ">": (3, 3), "<=": (3, 3), ">=": (3, 3), "~=": (3, 3), "==": (3, 3), "|": (4, 4),
        "~": (5, 5),
        "&": (6, 6), "<<": (7, 7), ">>": (7, 7), "..": (9, 8), "+": (10, 10), "-": (10, 10), "*": (11, 11), "/": (11, 11), "//": (11, 11),
        "%": (11, 11), "^": (14, 13),
    ]

    var operatorHere: String? {
        switch token.kind {
        case .symbol(let symbol): symbol
        case .keyword(.and): "and"
        case .keyword(.or): "or"
        default: nil
        }
    }

    mutating func expression(above limit: Int = 0) throws(LuaSyntaxError) -> LuaExpression {
        try nested { parser throws(LuaSyntaxError) in
            var left = try parser.operand()
            while let symbol = parser.operatorHere, let priority = Self.priorities[symbol], priority.left > limit {
                let line = parser.token.line
                parser.advance()
                let right = try parser.expression(above: priority.right)
                left = LuaExpression(kind: .binary(symbol, left, right), line: line)
            }
            return left
        }
    }

    mutating func operand() throws(LuaSyntaxError) -> LuaExpression {
        let line = token.line
        func leaf(_ kind: LuaExpression.Kind) -> LuaExpression { LuaExpression(kind: kind, line: line) }
        switch token.kind {
        case .keyword(.not), .symbol("-"), .symbol("#"), .symbol("~"):
            let symbol = isKeyword(.not) ? "not" : operatorHere ?? "-"
            advance()
            return leaf(.unary(symbol, try expression(above: Self.unaryPriority)))
        case .keyword(.nil):
            advance()
            return leaf(.nil)
        case .keyword(.true):
            advance()
            return leaf(.true)
        case .keyword(.false):
            advance()
            return leaf(.false)
        case .symbol("..."):
            advance()
            return leaf(.varargs)
        case .number(let text):
            advance()
            return leaf(.number(text))
        case .string(let text):
            advance()
            return leaf(.string(text))
        case .symbol("{"): return try table()
        case .keyword(.function):
            advance()
            return leaf(.function(try function(line, isMethod: false)))
        default: return try suffixed()
        }
    }

    mutating func suffixed() throws(LuaSyntaxError) -> LuaExpression {
        let line = token.line
        var result: LuaExpression
        if take("(") {
            result = LuaExpression(kind: .parentheses(try expression()), line: line)
            try expect(")")
        } else {
            result = LuaExpression(kind: resolve(try name()), line: line)
        }
        while true {
            let line = token.line
            switch token.kind {
            case .symbol("."):
                advance()
                result = LuaExpression(kind: .index(result, key: LuaExpression(kind: .string(try name()), line: line)), line: line)
            case .symbol("["):
                advance()
                let key = try expression()
                try expect("]")
                result = LuaExpression(kind: .index(result, key: key), line: line)
            case .symbol(":"):
                advance()
                let name = try name()
                result = LuaExpression(kind: .method(result, name, try arguments()), line: line)
            case .symbol("("), .symbol("{"), .string:
                result = LuaExpression(kind: .call(result, try arguments()), line: line)
            default: return result
            }
        }
    }

    mutating func arguments() throws(LuaSyntaxError) -> [LuaExpression] {
        let line = token.line
        if case .string(let text) = token.kind {
            advance()
            return [LuaExpression(kind: .string(text), line: line)]
        }
        if isSymbol("{") { return [try table()] }
        try expect("(")
        if take(")") { return [] }
        let list = try expressions()
        try expect(")")
        return list
    }

    mutating func table() throws(LuaSyntaxError) -> LuaExpression {
        let line = token.line
        try expect("{")
        var fields: [LuaField] = []
        while !isSymbol("}") {
            fields.append(try field())
            guard take(",") || take(";") else { break }
        }
        try expect("}")
        return LuaExpression(kind: .table(fields), line: line)
    }

    mutating func field() throws(LuaSyntaxError) -> LuaField {
        let line = token.line
        if take("[") {
            let key = try expression()
            try expect("]")
            try expect("=")
            return LuaField(key: key, value: try expression(), line: line)
        }
        if case .name(let name) = token.kind, position + 1 < tokens.count, tokens[position + 1].kind == .symbol("=") {
            advance()
            advance()
            return LuaField(key: LuaExpression(kind: .string(name), line: line), value: try expression(), line: line)
        }
        return LuaField(key: nil, value: try expression(), line: line)
    }

    mutating func function(_ line: Int, isMethod: Bool) throws(LuaSyntaxError) -> LuaFunctionBody {
        try expect("(")
        var names: [(name: String, line: Int)] = []
        while !isSymbol(")") {
            if !take("...") { names.append((try name(), token.line)) }
            guard take(",") else { break }
        }
        try expect(")")
        return try scoped { parser throws(LuaSyntaxError) in
            if isMethod { parser.declare("self", line, .parameter).reads = 1 }
            let parameters = names.map { parser.declare($0.name, $0.line, .parameter) }
            let body = try parser.statements()
            try parser.expect(.end)
            return LuaFunctionBody(parameters: parameters, body: body, line: line)
        }
    }
}
