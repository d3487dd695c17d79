public import CLua

/// A Lua function, of the script or of the host.
public struct LuaFunction: Hashable {
    @usableFromInline let reference: LuaReference

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

    // MARK: With Swift values, of which nothing but the result is allocated

    /// Calls it and reads its first result.
    @inlinable public func call<Result: LuaReadable>(returning: Result.Type) throws -> Result {
        try finish(begin().stack, 0)
    }

    /// Calls it with one argument and reads its first result.
    @inlinable public func call<A: LuaWritable, Result: LuaReadable>(_ a: A, returning: Result.Type) throws -> Result {
        let (stack, function) = try begin()
        do {
            try a.write(to: stack)
        } catch {
            throw abandon(stack, function, error)
        }
        return try finish(stack, 1)
    }

    /// Calls it with arguments and reads its first result.
    @inlinable public func call<each Argument: LuaWritable, Result: LuaReadable>(
        _ arguments: repeat each Argument, returning: Result.Type
    ) throws -> Result {
        let (stack, function) = try begin()
        var count = 0
        do {
            for argument in repeat each arguments {
                try stack.ensure(8)
                try argument.write(to: stack)
                count += 1
            }
        } catch {
            throw abandon(stack, function, error)
        }
        return try finish(stack, count)
    }

    // The function is on the stack, at an index, with room for some arguments.
    @inlinable @inline(__always) func begin() throws -> (stack: LuaStack, function: Int32) {
        guard let core = unsafe reference.home.core else { throw reference.closed }
        let begun = unsafe clua_begin_call(core, reference.slot)
        guard let state = unsafe begun.stack else { throw LuaStack.noRoom }
        return unsafe (LuaStack(state), begun.function)
    }

    @inlinable @inline(__always) func perform(_ stack: LuaStack, _ arguments: Int) throws {
        let status = unsafe clua_call(stack.state, Int32(truncatingIfNeeded: arguments), 1)
        if status != 0 { throw failure(status, stack) }
    }

    @usableFromInline @inline(never) func failure(_ status: Int32, _ stack: LuaStack) -> any Error {
        stack.lua.takeError(status, from: stack)
    }

    // A value that could not be written whole has left its parts.
    @usableFromInline func abandon(_ stack: LuaStack, _ function: Int32, _ error: any Error) -> any Error {
        stack.setCount(Int(function) - 1)
        return error
    }

    @inlinable @inline(__always) func finish<Result: LuaReadable>(_ stack: LuaStack, _ arguments: Int) throws -> Result {
        try perform(stack, arguments)
        defer { stack.pop() }
        if let result = try Result.read(from: stack, at: -1) { return result }
        throw stack.unexpected(Result.luaTypeName)
    }
}

extension LuaStack {
    @usableFromInline static var noRoom: any Error { LuaError(kind: .limit, message: "stack overflow: no room for a call") }

    @usableFromInline @inline(never) func unexpected(_ expected: String) -> any Error {
        LuaError(message: "\(expected) expected, got \(typeName(at: -1))")
    }
}
