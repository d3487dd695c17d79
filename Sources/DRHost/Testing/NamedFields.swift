internal import DRActions
internal import DRModel
internal import DRSupport
internal import LuaBridge

/// Tables of a test whose misspelt fields are told with the nearest name instead of being nil.
enum NamedFields {
    /// `names`: what it may be asked for; of these what it lacks is nil.
    static func watch(_ table: LuaTable, in lua: Lua, as owner: String, names: [String]) throws {
        let index = try lua.function("unknown") { (call: LuaCall) in
            let name = call[1].string ?? "[\(call[1].typeName)]"
            guard !names.contains(name) else { return [.nil] }
            throw DRError(
                .runbook, "there is no \(owner).\(name)\(Spelling.hint(for: name, in: names))", location: SourceLocation(call.location))
        }
        try set(index, of: table, in: lua)
    }

    /// Everything that the table does not hold is looked up by `index`.
    static func set(_ index: LuaFunction, of table: LuaTable, in lua: Lua) throws {
        let set = try lua.load(
            "local t, index = ... setmetatable(t, { __index = index, __metatable = false })", name: "=dr.test", trusted: true)
        try set.call([.table(table), .function(index)])
    }
}
