extension LuaStatement {
    /// The expressions that stand in it itself, in the order in which they are evaluated.
    var expressions: [LuaExpression] {
        switch kind {
        case .expression(let value): [value]
        case .local(_, let values), .return(let values): values
        case .assign(let targets, let values): targets + values
        case .while(let condition, _), .repeat(_, let condition): [condition]
        case .if(let branches, _): branches.map(\.condition)
        case .numericFor(_, let values, _), .genericFor(_, let values, _): values
        case .do, .localFunction, .other: []
        }
    }

    /// The blocks inside it; not those of functions.
    var blocks: [[LuaStatement]] {
        switch kind {
        case .do(let body), .while(_, let body), .repeat(let body, _), .numericFor(_, _, let body), .genericFor(_, _, let body): [body]
        case .if(let branches, let otherwise): branches.map(\.body) + [otherwise]
        case .expression, .local, .assign, .localFunction, .return, .other: []
        }
    }
}

extension LuaExpression {
    /// The expressions it is made of; not what stands in functions.
    var children: [LuaExpression] {
        switch kind {
        case .index(let value, let key): [value, key]
        case .call(let callee, let arguments): [callee] + arguments
        case .method(let value, _, let arguments): [value] + arguments
        case .table(let fields): fields.flatMap { [$0.key, $0.value].compactMap(\.self) }
        case .binary(_, let left, let right): [left, right]
        case .unary(_, let value), .parentheses(let value): [value]
        case .nil, .true, .false, .varargs, .number, .string, .function, .local, .global: []
        }
    }

    var string: String? {
        if case .string(let text) = kind { text } else { nil }
    }

    var function: LuaFunctionBody? {
        if case .function(let body) = kind { body } else { nil }
    }

    /// Is it `dr`, by its name or as a local of that name (`local dr = require "dr"`)?
    var isDR: Bool {
        switch kind {
        case .global(let name): name == "dr"
        case .local(let local): local.name == "dr" && local.role == .variable
        default: false
        }
    }

    /// NAME of `dr.NAME`.
    var drMember: String? {
        if case .index(let value, let key) = kind, value.isDR { key.string } else { nil }
    }
}

extension LuaChunk {
    /// Calls back for every block there is with its statements, outer ones first, and for every expression, those in functions too.
    func visit(block: ([LuaStatement]) -> Void = { _ in }, expression: (LuaExpression) -> Void = { _ in }) {
        Self.visit(body, block, expression)
    }

    static func visit(_ statements: [LuaStatement], _ block: ([LuaStatement]) -> Void, _ expression: (LuaExpression) -> Void) {
        block(statements)
        for statement in statements {
            for value in statement.expressions { visit(value, block, expression) }
            for inner in statement.blocks { visit(inner, block, expression) }
            if case .localFunction(_, let function) = statement.kind { visit(function.body, block, expression) }
        }
    }

    static func visit(_ value: LuaExpression, _ block: ([LuaStatement]) -> Void, _ expression: (LuaExpression) -> Void) {
        expression(value)
        if let function = value.function { visit(function.body, block, expression) }
        for child in value.children { visit(child, block, expression) }
    }
}
