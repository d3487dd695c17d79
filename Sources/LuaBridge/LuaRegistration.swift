internal import CLua

/// A call of a host function, as the function sees it.
public struct LuaCall {
    public let lua: Lua
    /// The name the function was registered with.
    public let name: String
    public let arguments: [LuaValue]
    /// The script line of the call: the nearest frame that is in no trusted chunk.
    public let location: LuaLocation?

    /// The argument, counted from 0, or nil.
    public subscript(index: Int) -> LuaValue {
        arguments.indices.contains(index) ? arguments[index] : .nil
    }
}

extension LuaStack {
    func call(_ name: String) throws(LuaError) -> LuaCall {
        LuaCall(lua: lua, name: name, arguments: try values(from: 1), location: lua.location)
    }

    // Reads argument `index`; the error names the function and what was expected.
    func argument<Value: LuaReadable>(_ index: Int, of name: String, as type: Value.Type) throws -> Value {
        do {
            if let value = try Value.read(from: self, at: index) { return value }
        } catch let complaint as LuaComplaint {
            throw LuaComplaint("bad argument #\(index) to '\(name)': \(complaint)")
        }
        throw LuaComplaint("bad argument #\(index) to '\(name)' (\(Value.luaTypeName) expected, got \(typeName(at: index)))")
    }

    func write(_ results: [LuaValue]) throws(LuaError) -> Int32 {
        try ensure(results.count + 4)
        for result in results { try push(result) }
        return Int32(results.count)
    }
}

extension Lua {
    /// A function of the host with typed arguments and one result. Arguments are checked, extra ones ignored.
    public func function<each Argument: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (repeat each Argument) throws -> Result
    ) throws(LuaError) -> LuaFunction {
        try makeFunction { stack in
            try stack.ensure(8)
            var index = 0
            func next() -> Int {
                index += 1
                return index
            }
            let result = try body(repeat stack.argument(next(), of: name, as: (each Argument).self))
            try result.write(to: stack)
            return 1
        }
    }

    /// A function of the host without a result.
    public func function<each Argument: LuaReadable>(
        _ name: String, _ body: @escaping (repeat each Argument) throws -> Void
    ) throws(LuaError) -> LuaFunction {
        try makeFunction { stack in
            try stack.ensure(8)
            var index = 0
            func next() -> Int {
                index += 1
                return index
            }
            try body(repeat stack.argument(next(), of: name, as: (each Argument).self))
            return 0
        }
    }

    /// A function of the host that takes and returns whatever it likes, and knows where it was called.
    public func function(_ name: String, _ body: @escaping (LuaCall) throws -> [LuaValue]) throws(LuaError) -> LuaFunction {
        try makeFunction { stack in
            try stack.write(body(stack.call(name)))
        }
    }

    /// A function that makes a request of the driver of the coroutine it is called in, and waits for the answer: `LuaCoroutine.resume`
    /// returns `.suspended(request)`. It may be called through the script's own coroutines, `pcall`, iterators and metamethods; not in a
    /// `table.sort` order, a `gsub` replacement or while a module loads.
    public func suspendingFunction<Request>(
        _ name: String, _ body: @escaping (LuaCall) throws -> Request
    ) throws(LuaError) -> LuaFunction {
        try makeFunction { stack in
            let lua = stack.lua
            guard unsafe clua_may_suspend(lua.core) != 0 else {
                throw LuaComplaint(
                    "'\(name)' waits for its result and cannot be called here: only inside a run, and not from a sort order, "
                        + "a gsub replacement, a __close while the run ends, or while a module loads")
            }
            let call = try stack.call(name)
            lua.request = (try body(call), call.location)
            return CLUA_SUSPEND.status
        }
    }

    public func register<each Argument: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (repeat each Argument) throws -> Result
    ) throws(LuaError) {
        try globals.set(.text(name), .function(function(name, body)))
    }

    public func register<each Argument: LuaReadable>(
        _ name: String, _ body: @escaping (repeat each Argument) throws -> Void
    ) throws(LuaError) {
        try globals.set(.text(name), .function(function(name, body)))
    }

    public func register(_ name: String, _ body: @escaping (LuaCall) throws -> [LuaValue]) throws(LuaError) {
        try globals.set(.text(name), .function(function(name, body)))
    }

    public func suspending<Request>(_ name: String, _ body: @escaping (LuaCall) throws -> Request) throws(LuaError) {
        try globals.set(.text(name), .function(suspendingFunction(name, body)))
    }
}

extension LuaTable {
    public func register<each Argument: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (repeat each Argument) throws -> Result
    ) throws(LuaError) {
        try set(.text(name), .function(reference.owner().function(name, body)))
    }

    public func register<each Argument: LuaReadable>(
        _ name: String, _ body: @escaping (repeat each Argument) throws -> Void
    ) throws(LuaError) {
        try set(.text(name), .function(reference.owner().function(name, body)))
    }

    public func register(_ name: String, _ body: @escaping (LuaCall) throws -> [LuaValue]) throws(LuaError) {
        try set(.text(name), .function(reference.owner().function(name, body)))
    }

    public func suspending<Request>(_ name: String, _ body: @escaping (LuaCall) throws -> Request) throws(LuaError) {
        try set(.text(name), .function(reference.owner().suspendingFunction(name, body)))
    }
}
