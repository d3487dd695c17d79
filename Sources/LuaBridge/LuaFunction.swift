internal import CLua

/// A Lua function, of the script or of the host.
public struct LuaFunction: Hashable {
    let reference: LuaReference

    public static func == (a: LuaFunction, b: LuaFunction) -> Bool {
        a.reference.identity == b.reference.identity
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(reference.identity)
    }

    /// Calls it on the state's own stack: nothing in it can suspend. Use `Lua.coroutine` for functions that wait for the host.
    @discardableResult
    public func call(_ arguments: [LuaValue] = []) throws(LuaError) -> [LuaValue] {
        let lua = try reference.owner()
        let stack = lua.stack
        let top = stack.count
        defer { stack.setCount(top) }
        try stack.ensure(arguments.count + 8)
        try stack.push(reference)
        for argument in arguments { try stack.push(argument) }
        try lua.call(arguments: arguments.count, results: -1, on: stack)
        return try stack.values(from: top + 1)
    }

    /// Calls it with Swift values and reads its first result.
    public func call<each Argument: LuaWritable, Result: LuaReadable>(
        _ arguments: repeat each Argument, returning: Result.Type
    ) throws -> Result {
        let lua = try reference.owner()
        var values: [LuaValue] = []
        for argument in repeat each arguments { values.append(try lua.value(of: argument)) }
        return try lua.read(try call(values).first ?? .nil, as: Result.self)
    }
}
