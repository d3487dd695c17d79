/// A word of Lua's grammar and where it begins.
struct LuaToken: Equatable {
    enum Kind: Equatable {
        case name(String)
        case keyword(Keyword)
        /// Its content; nil when it is no UTF-8.
        case string(String?)
        case number(String)
        case symbol(String)
        case end
    }

    enum Keyword: String, CaseIterable {
        case and, `break`, `do`, `else`, elseif, end, `false`, `for`, function, goto, `if`, `in`, local, `nil`, not, or, `repeat`, `return`,
            then
        case `true`, until, `while`
    }

    let kind: Kind
    let line: Int
}

/// What is no Lua, and on which line. `lint` shows Lua's own message for it, so this says little.
struct LuaSyntaxError: Error, Equatable {
    let line: Int
    let message: String
}
