/// A Lua text as a tree, with every name that is a local resolved to its declaration.
struct LuaChunk {
    let body: [LuaStatement]
    /// Every local there is, in the order of declaration.
    let locals: [LuaLocal]
    let comments: [LuaLexer.Comment]
}

/// A local variable, parameter or loop variable.
final class LuaLocal {
    enum Role { case variable, function, parameter, loop }

    let name: String
    let line: Int
    let role: Role
    /// How often its value is read.
    var reads = 0
    /// Lines on which it is given another value.
    var assignments: [Int] = []

    init(name: String, line: Int, role: Role) {
        self.name = name
        self.line = line
        self.role = role
    }
}

final class LuaFunctionBody {
    let parameters: [LuaLocal]
    let body: [LuaStatement]
    let line: Int

    init(parameters: [LuaLocal], body: [LuaStatement], line: Int) {
        self.parameters = parameters
        self.body = body
        self.line = line
    }
}

struct LuaExpression {
    indirect enum Kind {
        case `nil`, `true`, `false`, varargs
        case number(String)
        /// Nil when it is no UTF-8.
        case string(String?)
        case function(LuaFunctionBody)
        case local(LuaLocal)
        case global(String)
        case index(LuaExpression, key: LuaExpression)
        case call(LuaExpression, [LuaExpression])
        case method(LuaExpression, String, [LuaExpression])
        case table([LuaField])
        case binary(String, LuaExpression, LuaExpression)
        case unary(String, LuaExpression)
        case parentheses(LuaExpression)
    }

    let kind: Kind
    let line: Int
}

struct LuaField {
    /// Nil for an element of the list.
    let key: LuaExpression?
    let value: LuaExpression
    let line: Int
}

struct LuaStatement {
    indirect enum Kind {
        case expression(LuaExpression)
        case local([LuaLocal], [LuaExpression])
        case assign([LuaExpression], [LuaExpression])
        case `do`([LuaStatement])
        case `while`(LuaExpression, [LuaStatement])
        case `repeat`([LuaStatement], until: LuaExpression)
        case `if`([(condition: LuaExpression, body: [LuaStatement])], otherwise: [LuaStatement])
        case numericFor(LuaLocal, [LuaExpression], [LuaStatement])
        case genericFor([LuaLocal], [LuaExpression], [LuaStatement])
        case localFunction(LuaLocal, LuaFunctionBody)
        case `return`([LuaExpression])
        case other
    }

    let kind: Kind
    let line: Int
}
