// `object:name(arguments)`, one overload an arity for the same reason as in LuaRegistration+Arity.swift.

extension LuaType {
    @inlinable @inline(__always) public func method<Result: LuaWritable>(_ name: String, _ body: @escaping (Object) throws -> Result) {
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object()).writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func method(_ name: String, _ body: @escaping (Object) throws -> Void) {
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object())
                return 0
            })
    }

    @inlinable @inline(__always) public func method<A: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (Object, A) throws -> Result
    ) {
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(), stack.argument(2)).writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func method<A: LuaReadable>(_ name: String, _ body: @escaping (Object, A) throws -> Void) {
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(), stack.argument(2))
                return 0
            })
    }

    @inlinable @inline(__always) public func method<A: LuaReadable, B: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (Object, A, B) throws -> Result
    ) {
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(), stack.argument(2), stack.argument(3)).writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func method<A: LuaReadable, B: LuaReadable>(
        _ name: String, _ body: @escaping (Object, A, B) throws -> Void
    ) {
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(), stack.argument(2), stack.argument(3))
                return 0
            })
    }

    @inlinable @inline(__always) public func method<A: LuaReadable, B: LuaReadable, C: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (Object, A, B, C) throws -> Result
    ) {
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(), stack.argument(2), stack.argument(3), stack.argument(4))
                    .writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func method<A: LuaReadable, B: LuaReadable, C: LuaReadable>(
        _ name: String, _ body: @escaping (Object, A, B, C) throws -> Void
    ) {
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(), stack.argument(2), stack.argument(3), stack.argument(4))
                return 0
            })
    }
}
