// `object:name(arguments)`, one overload an arity for the same reason as in LuaRegistration+Arity.swift.

extension LuaType {
    @inlinable @inline(__always) public func method<Result: LuaWritable>(_ name: String, _ body: @escaping (Object) throws -> Result) {
        let full = self.name(of: name)
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(of: full)).writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func method(_ name: String, _ body: @escaping (Object) throws -> Void) {
        let full = self.name(of: name)
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(of: full))
                return 0
            })
    }

    @inlinable @inline(__always) public func method<A: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (Object, A) throws -> Result
    ) {
        let full = self.name(of: name)
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(of: full), stack.argument(2, of: full)).writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func method<A: LuaReadable>(_ name: String, _ body: @escaping (Object, A) throws -> Void) {
        let full = self.name(of: name)
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(of: full), stack.argument(2, of: full))
                return 0
            })
    }

    @inlinable @inline(__always) public func method<A: LuaReadable, B: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (Object, A, B) throws -> Result
    ) {
        let full = self.name(of: name)
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(of: full), stack.argument(2, of: full), stack.argument(3, of: full)).writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func method<A: LuaReadable, B: LuaReadable>(
        _ name: String, _ body: @escaping (Object, A, B) throws -> Void
    ) {
        let full = self.name(of: name)
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(of: full), stack.argument(2, of: full), stack.argument(3, of: full))
                return 0
            })
    }

    @inlinable @inline(__always) public func method<A: LuaReadable, B: LuaReadable, C: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (Object, A, B, C) throws -> Result
    ) {
        let full = self.name(of: name)
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(of: full), stack.argument(2, of: full), stack.argument(3, of: full), stack.argument(4, of: full))
                    .writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func method<A: LuaReadable, B: LuaReadable, C: LuaReadable>(
        _ name: String, _ body: @escaping (Object, A, B, C) throws -> Void
    ) {
        let full = self.name(of: name)
        add(
            name,
            LuaHostFunction { stack in
                try body(stack.object(of: full), stack.argument(2, of: full), stack.argument(3, of: full), stack.argument(4, of: full))
                return 0
            })
    }
}
