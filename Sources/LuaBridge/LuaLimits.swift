/// What one script may use. Everything beyond ends the run with an error that no script can catch.
public struct LuaLimits: Sendable, Equatable {
    /// Bytes of Lua's heap, strings and tables the host pushes included.
    public var memory: Int
    /// Virtual machine instructions between two resets of the budget; nil = no limit. The same script ends at the same place every time. The
    /// budget of a `Lua.run` is that of all its parts; each wait in it counts as 100.
    public var instructions: UInt64?
    /// Processor time between two resets of the budget; nil = no limit. The budget of a `Lua.run` is that of all its parts; each wait in it
    /// counts as what it took, up to 2 µs.
    public var processorTime: Duration?
    /// Host calls and coroutines inside one another: 64 fit a thread with 512 KiB of stack, in debug builds too. At most 180.
    public var nesting: Int
    /// Bytes that `print` and `Lua.spendOutput` may use in the life of the state.
    public var output: Int
    /// Instructions that all `__close` handlers together get once the run is being ended.
    public var closing: UInt64
    /// Tables inside one another that are read into Swift values or written from them.
    public var depth: Int

    public init(
        memory: Int = 64 << 20, instructions: UInt64? = nil, processorTime: Duration? = .seconds(10), nesting: Int = 64,
        output: Int = 10 << 20, closing: UInt64 = 100_000, depth: Int = 100
    ) {
        self.memory = memory
        self.instructions = instructions
        self.processorTime = processorTime
        self.nesting = nesting
        self.output = output
        self.closing = closing
        self.depth = depth
    }
}
