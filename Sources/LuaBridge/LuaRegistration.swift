internal import CLua

/// A call of a host function, as the function sees it.
public struct LuaCall {
    public let lua: Lua
    /// The name the function was registered with.
    public let name: String
    public let arguments: [LuaValue]
    // Nil: it was not looked for yet. Few ask for it.
    private var found: LuaLocation??

    init(lua: Lua, name: String, arguments: [LuaValue]) {
        self.lua = lua
        self.name = name
        self.arguments = arguments
    }

    /// The script line of the call: the nearest frame that is in no trusted chunk.
    public var location: LuaLocation? { found ?? lua.location }

    // For what goes on when the script does not stand there any more.
    func located() -> LuaCall {
        var call = self
        call.found = .some(lua.location)
        return call
    }

    /// The argument, counted from 0, or nil.
    public subscript(index: Int) -> LuaValue {
        arguments.indices.contains(index) ? arguments[index] : .nil
    }
}

/// What Lua calls: it reads its arguments from the stack and answers how many results it has pushed. Made by the overloads of `register`.
@frozen public struct LuaHostFunction {
    @usableFromInline let body: (LuaStack) throws -> Int32

    @inlinable @inline(__always) public init(_ body: @escaping (LuaStack) throws -> Int32) {
        self.body = body
    }
}

/// Where functions of the host are registered: a state, for its globals, or a table.
///
/// Arguments are checked and extra ones ignored. A function registered this way lives as long as the state; up to 128 of them are called at
/// nearly the price of a function in C.
public protocol LuaRegistrar {
    func add(_ name: String, _ function: LuaHostFunction) throws(LuaError)
}

extension Lua: LuaRegistrar {
    public func add(_ name: String, _ function: LuaHostFunction) throws(LuaError) {
        try globals.add(name, function)
    }
}

extension LuaTable: LuaRegistrar {
    public func add(_ name: String, _ function: LuaHostFunction) throws(LuaError) {
        try set(.text(name), .function(reference.owner().makeFunction(function.body, name: name, isPermanent: true)))
    }
}

extension LuaStack {
    func call(_ name: String) throws(LuaError) -> LuaCall {
        LuaCall(lua: lua, name: name, arguments: try values(from: 1))
    }

    // Reads argument `index`; the error says what was expected.
    @inlinable @inline(__always) func argument<Value: LuaReadable>(_ index: Int) throws -> Value {
        do {
            if let value = try Value.read(from: self, at: index) { return value }
        } catch {
            throw badArgument(index, error)
        }
        throw badArgument(index, expected: Value.luaTypeName)
    }

    @usableFromInline @inline(never) func badArgument(_ index: Int, _ error: any Error) -> any Error {
        guard let complaint = error as? LuaComplaint else { return error }
        return LuaMisuse.argument(index, ": \(complaint)")
    }

    @usableFromInline @inline(never) func badArgument(_ index: Int, expected: String) -> any Error {
        LuaMisuse.argument(index, " (\(expected) expected, got \(typeName(at: index)))")
    }

    func write(_ results: [LuaValue]) throws(LuaError) -> Int32 {
        try ensure(results.count + 4)
        for result in results { try push(result) }
        return Int32(results.count)
    }
}

extension LuaRegistrar {
    /// A function of nine and more arguments.
    @inlinable @inline(__always) public func register<each Argument: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (repeat each Argument) throws -> Result
    ) throws(LuaError) {
        try add(name, .packed(body))
    }

    /// A function of nine and more arguments, without a result.
    @inlinable @inline(__always) public func register<each Argument: LuaReadable>(
        _ name: String, _ body: @escaping (repeat each Argument) throws -> Void
    ) throws(LuaError) {
        try add(name, .packed(body))
    }

    /// A function that takes and returns whatever it likes, and knows where it was called.
    public func register(_ name: String, _ body: @escaping (LuaCall) throws -> [LuaValue]) throws(LuaError) {
        try add(name, .open(name, body))
    }

    /// A function that makes a request of the driver of the coroutine it is called in; see `Lua.suspendingFunction`.
    public func suspending<Request>(_ name: String, _ body: @escaping (LuaCall) throws -> Request) throws(LuaError) {
        try add(name, .suspending(name, body))
    }
}

extension LuaHostFunction {
    @inlinable @inline(__always) static func packed<each Argument: LuaReadable, Result: LuaWritable>(
        _ body: @escaping (repeat each Argument) throws -> Result
    ) -> LuaHostFunction {
        LuaHostFunction { stack in
            var index = 0
            func next() -> Int {
                index += 1
                return index
            }
            let result = try body(repeat stack.argument(next()) as each Argument)
            try stack.ensure(8)
            return try result.writeResults(to: stack)
        }
    }

    @inlinable @inline(__always) static func packed<each Argument: LuaReadable>(
        _ body: @escaping (repeat each Argument) throws -> Void
    ) -> LuaHostFunction {
        LuaHostFunction { stack in
            var index = 0
            func next() -> Int {
                index += 1
                return index
            }
            try body(repeat stack.argument(next()) as each Argument)
            return 0
        }
    }

    static func open(_ name: String, _ body: @escaping (LuaCall) throws -> [LuaValue]) -> LuaHostFunction {
        LuaHostFunction { stack in try stack.write(body(stack.call(name))) }
    }

    static func suspending<Request>(_ name: String, _ body: @escaping (LuaCall) throws -> Request) -> LuaHostFunction {
        LuaHostFunction { stack in
            let lua = stack.lua
            guard unsafe clua_may_suspend(lua.core) != 0 else {
                throw LuaComplaint(
                    "'\(name)' waits for its result and cannot be called here: only inside a run, and not from a sort order, "
                        + "a gsub replacement, a __close while the run ends, or while a module loads")
            }
            let call = try stack.call(name).located()
            lua.request = (try body(call), call.location)
            return CLUA_SUSPEND.status
        }
    }
}

// As values that live while somebody refers to them.
extension Lua {
    /// A function of the host with typed arguments and one result. Arguments are checked, extra ones ignored.
    public func function<each Argument: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (repeat each Argument) throws -> Result
    ) throws(LuaError) -> LuaFunction {
        try makeFunction(LuaHostFunction.packed(body).body, name: name)
    }

    /// A function of the host without a result.
    public func function<each Argument: LuaReadable>(
        _ name: String, _ body: @escaping (repeat each Argument) throws -> Void
    ) throws(LuaError) -> LuaFunction {
        try makeFunction(LuaHostFunction.packed(body).body, name: name)
    }

    /// A function of the host that takes and returns whatever it likes, and knows where it was called.
    public func function(_ name: String, _ body: @escaping (LuaCall) throws -> [LuaValue]) throws(LuaError) -> LuaFunction {
        try makeFunction(LuaHostFunction.open(name, body).body, name: name)
    }

    /// A function that makes a request of the driver of the coroutine it is called in, and waits for the answer: `LuaCoroutine.resume`
    /// returns `.suspended(request)`. It may be called through the script's own coroutines, `pcall`, iterators and metamethods; not in a
    /// `table.sort` order, a `gsub` replacement or while a module loads.
    public func suspendingFunction<Request>(
        _ name: String, _ body: @escaping (LuaCall) throws -> Request
    ) throws(LuaError) -> LuaFunction {
        try makeFunction(LuaHostFunction.suspending(name, body).body, name: name)
    }
}
