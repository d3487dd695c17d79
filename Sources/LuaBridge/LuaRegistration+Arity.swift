// One overload an arity: from a parameter pack the compiler (6.3.1) makes calls through witnesses, a third slower. More arguments go through
// the pack in LuaRegistration.swift.

extension LuaRegistrar {
    @inlinable @inline(__always) public func register<Result: LuaWritable>(_ name: String, _ body: @escaping () throws -> Result)
        throws(LuaError)
    {
        try add(
            name,
            LuaHostFunction { stack in
                try body().writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func register(_ name: String, _ body: @escaping () throws -> Void) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body()
                return 0
            })
    }

    @inlinable @inline(__always) public func register<A: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A) throws -> Result
    ) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(stack.argument(1)).writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func register<A: LuaReadable>(_ name: String, _ body: @escaping (A) throws -> Void) throws(LuaError)
    {
        try add(
            name,
            LuaHostFunction { stack in
                try body(stack.argument(1))
                return 0
            })
    }

    @inlinable @inline(__always) public func register<A: LuaReadable, B: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A, B) throws -> Result
    ) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(stack.argument(1), stack.argument(2)).writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func register<A: LuaReadable, B: LuaReadable>(
        _ name: String, _ body: @escaping (A, B) throws -> Void
    ) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(stack.argument(1), stack.argument(2))
                return 0
            })
    }

    @inlinable @inline(__always) public func register<A: LuaReadable, B: LuaReadable, C: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A, B, C) throws -> Result
    ) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(stack.argument(1), stack.argument(2), stack.argument(3)).writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func register<A: LuaReadable, B: LuaReadable, C: LuaReadable>(
        _ name: String, _ body: @escaping (A, B, C) throws -> Void
    ) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(stack.argument(1), stack.argument(2), stack.argument(3))
                return 0
            })
    }

    @inlinable @inline(__always) public func register<A: LuaReadable, B: LuaReadable, C: LuaReadable, D: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A, B, C, D) throws -> Result
    ) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(stack.argument(1), stack.argument(2), stack.argument(3), stack.argument(4))
                    .writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func register<A: LuaReadable, B: LuaReadable, C: LuaReadable, D: LuaReadable>(
        _ name: String, _ body: @escaping (A, B, C, D) throws -> Void
    ) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(stack.argument(1), stack.argument(2), stack.argument(3), stack.argument(4))
                return 0
            })
    }

    @inlinable @inline(__always)
    public func register<A: LuaReadable, B: LuaReadable, C: LuaReadable, D: LuaReadable, E: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (A, B, C, D, E) throws -> Result
    ) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(
                    stack.argument(1), stack.argument(2), stack.argument(3), stack.argument(4),
                    stack.argument(5)
                ).writeResults(to: stack)
            })
    }

    @inlinable @inline(__always) public func register<A: LuaReadable, B: LuaReadable, C: LuaReadable, D: LuaReadable, E: LuaReadable>(
        _ name: String, _ body: @escaping (A, B, C, D, E) throws -> Void
    ) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(
                    stack.argument(1), stack.argument(2), stack.argument(3), stack.argument(4),
                    stack.argument(5))
                return 0
            })
    }

    @inlinable @inline(__always)
    public func register<
        A: LuaReadable, B: LuaReadable, C: LuaReadable, D: LuaReadable, E: LuaReadable, F: LuaReadable, Result: LuaWritable
    >(_ name: String, _ body: @escaping (A, B, C, D, E, F) throws -> Result) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(
                    stack.argument(1), stack.argument(2), stack.argument(3), stack.argument(4),
                    stack.argument(5), stack.argument(6)
                ).writeResults(to: stack)
            })
    }

    @inlinable @inline(__always)
    public func register<A: LuaReadable, B: LuaReadable, C: LuaReadable, D: LuaReadable, E: LuaReadable, F: LuaReadable>(
        _ name: String, _ body: @escaping (A, B, C, D, E, F) throws -> Void
    ) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(
                    stack.argument(1), stack.argument(2), stack.argument(3), stack.argument(4),
                    stack.argument(5), stack.argument(6))
                return 0
            })
    }

    @inlinable @inline(__always)
    public func register<
        A: LuaReadable, B: LuaReadable, C: LuaReadable, D: LuaReadable, E: LuaReadable, F: LuaReadable, G: LuaReadable, Result: LuaWritable
    >(_ name: String, _ body: @escaping (A, B, C, D, E, F, G) throws -> Result) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(
                    stack.argument(1), stack.argument(2), stack.argument(3), stack.argument(4),
                    stack.argument(5), stack.argument(6), stack.argument(7)
                ).writeResults(to: stack)
            })
    }

    @inlinable @inline(__always)
    public func register<A: LuaReadable, B: LuaReadable, C: LuaReadable, D: LuaReadable, E: LuaReadable, F: LuaReadable, G: LuaReadable>(
        _ name: String, _ body: @escaping (A, B, C, D, E, F, G) throws -> Void
    ) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(
                    stack.argument(1), stack.argument(2), stack.argument(3), stack.argument(4),
                    stack.argument(5), stack.argument(6), stack.argument(7))
                return 0
            })
    }

    @inlinable @inline(__always)
    public func register<
        A: LuaReadable, B: LuaReadable, C: LuaReadable, D: LuaReadable, E: LuaReadable, F: LuaReadable, G: LuaReadable, H: LuaReadable,
        Result: LuaWritable
    >(_ name: String, _ body: @escaping (A, B, C, D, E, F, G, H) throws -> Result) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(
                    stack.argument(1), stack.argument(2), stack.argument(3), stack.argument(4),
                    stack.argument(5), stack.argument(6), stack.argument(7), stack.argument(8)
                ).writeResults(to: stack)
            })
    }

    @inlinable @inline(__always)
    public func register<
        A: LuaReadable, B: LuaReadable, C: LuaReadable, D: LuaReadable, E: LuaReadable, F: LuaReadable, G: LuaReadable, H: LuaReadable
    >(_ name: String, _ body: @escaping (A, B, C, D, E, F, G, H) throws -> Void) throws(LuaError) {
        try add(
            name,
            LuaHostFunction { stack in
                try body(
                    stack.argument(1), stack.argument(2), stack.argument(3), stack.argument(4),
                    stack.argument(5), stack.argument(6), stack.argument(7), stack.argument(8))
                return 0
            })
    }
}
