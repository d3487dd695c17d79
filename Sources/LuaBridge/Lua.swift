internal import CLua

/// One sandboxed Lua state.
///
/// It belongs to one isolation domain; only its `cancellation` may be used from elsewhere. Closures registered here live as long as the
/// state: one that captures the state keeps it alive for ever, so take `call.lua` instead. Whoever calls into a state keeps it until the call
/// returns; to release it earlier is a fatal error of the host.
@safe public final class Lua {
    public let limits: LuaLimits
    public let cancellation: LuaCancellation
    /// Where the lines that run are noted; nil = nowhere, at no cost.
    public let coverage: LuaCoverage?
    /// Receives each line of `print`, without the line end.
    public var output: (String) -> Void
    /// Finds the source of a module for `require`; see `LuaModule`.
    public var modules: ((_ name: String) throws -> LuaModule?)?

    let core: OpaquePointer
    let home = LuaHome()
    private var freeSlots: [Int32] = []
    private var lastSlot: Int32 = 0
    var types: Set<ObjectIdentifier> = []
    @exclusivity(unchecked) var objectTypes: [ObjectIdentifier: (any LuaObject.Type)?] = [:]
    @exclusivity(unchecked) var decodedTables = 0
    @exclusivity(unchecked) var containers = LuaContainers()
    @exclusivity(unchecked) var lastPlain = ObjectIdentifier(Never.self)
    @exclusivity(unchecked) var errorForms = LuaErrorForms()
    var trustedNames: Set<String> = []
    var loadedModules: [String: LuaValue] = [:]
    var loadingModules: [String] = []
    // What a suspending host function asks of the driver, until the driver has it.
    var request: (content: Any, location: LuaLocation?)?
    var isShowingError = false
    // Why the host ends the run, until the error leaves Lua.
    var stopError: (any Error)?

    /// `seed`: all that `math.random` depends on.
    public init(
        limits: LuaLimits = LuaLimits(), seed: UInt64 = 0, cancellation: LuaCancellation = LuaCancellation(), coverage: LuaCoverage? = nil,
        output: @escaping (String) -> Void = { _ in }, modules: ((_ name: String) throws -> LuaModule?)? = nil
    ) {
        self.limits = limits
        self.cancellation = cancellation
        self.coverage = coverage
        self.output = output
        self.modules = modules
        var configuration = unsafe clua_configuration()
        unsafe configuration.memory = max(0, limits.memory)
        unsafe configuration.instructions = limits.instructions ?? 0
        unsafe configuration.nanoseconds = limits.processorTime.map { max(1, $0.wholeNanoseconds) } ?? 0
        unsafe configuration.closing = limits.closing
        unsafe configuration.output = max(0, limits.output)
        unsafe configuration.nesting = Int32(clamping: min(limits.nesting, 180))
        unsafe configuration.seed = seed
        unsafe configuration.cancellation = UnsafeRawPointer(cancellation.flag)
        unsafe configuration.call = unsafe callHostFunction
        unsafe configuration.raise = unsafe raiseThrownError
        unsafe configuration.message = unsafe pushErrorMessage
        unsafe configuration.release = releaseHostObject
        unsafe configuration.print = printFromLua
        unsafe core = clua_open(&configuration)
        unsafe clua_set_owner(core, Unmanaged.passUnretained(self).toOpaque())
        unsafe home.lua = self
        unsafe home.core = core
        installRequire()
    }

    /// Which real-time signal interrupts a script that is past its limit; the first free one from above if never called. It must be called
    /// before the first script runs. False: it was too late, or there is no such signal. Only on Linux.
    @discardableResult public static func useSignal(_ number: Int32) -> Bool {
        clua_use_signal(number) != 0
    }

    deinit {
        precondition(unsafe clua_depth(core) == 0, "a Lua state was released while it runs a script: keep it until the call returns")
        unsafe home.lua = nil
        unsafe home.core = nil
        unsafe clua_close(core)
    }

    // The stack to work on: the running coroutine's while a host function runs, else the state's own.
    var stack: LuaStack {
        unsafe LuaStack(clua_current(core))
    }

    /// The table of global variables.
    public var globals: LuaTable {
        get throws(LuaError) {
            let stack = self.stack
            try stack.ensure(4)
            unsafe clua_push_globals(stack.state)
            defer { stack.pop() }
            return LuaTable(reference: try reference(at: -1, of: stack))
        }
    }

    /// A new empty table.
    public func table() throws(LuaError) -> LuaTable {
        let stack = self.stack
        try stack.ensure(4)
        stack.newTable()
        defer { stack.pop() }
        return LuaTable(reference: try reference(at: -1, of: stack))
    }

    /// A new sequence.
    public func table(_ elements: [LuaValue]) throws(LuaError) -> LuaTable {
        let stack = self.stack
        let top = stack.count
        defer { stack.setCount(top) }
        try stack.ensure(6)
        stack.newTable(array: elements.count)
        for (index, element) in elements.enumerated() {
            try stack.push(element)
            stack.rawSet(top + 1, index: index + 1)
        }
        return LuaTable(reference: try reference(at: top + 1, of: stack))
    }

    /// Compiles Lua text; bytecode is refused. `name` is what errors show before the line. Frames of `trusted` chunks (the host's own
    /// prelude) are passed over when a place is reported; they have no other privilege.
    public func load(_ source: String, name: String, trusted: Bool = false) throws(LuaError) -> LuaFunction {
        try load(bytes: Array(source.utf8), name: name, trusted: trusted)
    }

    public func load(bytes: [UInt8], name: String, trusted: Bool = false) throws(LuaError) -> LuaFunction {
        let name = String(name.map { $0 == "\0" || $0.isNewline ? "?" : $0 })
        if trusted { trustedNames.insert(name) }
        let stack = self.stack
        try stack.ensure(8)
        let status = unsafe bytes.withUnsafeBytes { buffer in
            unsafe clua_load(
                core, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), buffer.count, (trusted ? "=" : "@") + name)
        }
        guard status == CLUA_OK.status else { throw takeError(status, from: stack) }
        defer { stack.pop() }
        if !trusted, let coverage { try unsafe coverage.cover(name, bytes, on: stack, of: core) }
        return LuaFunction(reference: try reference(at: -1, of: stack))
    }

    // MARK: Budget and memory

    /// Starts the computing budget anew. Each call from the idle host does so too.
    public func resetBudget() {
        unsafe clua_renew_budget(core)
    }

    /// Instructions since the last reset, to about a thousand.
    public var instructions: UInt64 {
        unsafe clua_instructions(core)
    }

    /// Bytes of Lua's heap in use.
    public var memoryUsed: Int {
        unsafe clua_memory_used(core)
    }

    /// The most bytes of Lua's heap that were in use at one time.
    public var memoryPeak: Int {
        unsafe clua_memory_peak(core)
    }

    /// Counts output that does not go through `print`; throws when the limit is passed, and the run ends.
    public func spendOutput(_ bytes: Int) throws(LuaError) {
        if unsafe clua_spend_output(core, max(0, bytes)) == 0 {
            throw LuaError(kind: .limit, message: "output limit exceeded")
        }
    }

    /// Is Lua running, with a host function on top?
    public var isRunning: Bool {
        unsafe clua_depth(core) > 0
    }

    /// Where the script is: the nearest frame that is in no trusted chunk.
    public var location: LuaLocation? {
        var place = clua_place()
        unsafe clua_find_place(core, clua_current(core), &place)
        return LuaLocation(place)
    }

    /// Collects garbage now; for tests.
    public func collectGarbage() {
        flushReleased()
        unsafe clua_collect(core)
    }

    /// For tests: from the nth allocation of a script on, none succeeds; 0 = off.
    package func failAllocation(_ nth: UInt64) {
        unsafe clua_fail_allocation(core, nth)
    }

    // MARK: References

    private func flushReleased() {
        for slot in home.take() {
            unsafe clua_let_go(core, slot)
            freeSlots.append(slot)
        }
    }

    func reference(at index: Int, of stack: LuaStack) throws(LuaError) -> LuaReference {
        flushReleased()
        let slot = freeSlots.popLast() ?? lastSlot + 1
        guard slot < 1 << 24 else { throw LuaError(kind: .limit, message: "the host holds too many Lua values") }
        unsafe clua_hold(stack.state, Int32(index), slot)
        lastSlot = max(lastSlot, slot)
        return LuaReference(home: home, slot: slot, identity: stack.identity(at: index))
    }

    func push(_ value: some LuaWritable, to stack: LuaStack) throws {
        try value.write(to: stack)
    }

    /// Any writable Swift value as a Lua value.
    public func value(of value: some LuaWritable) throws -> LuaValue {
        let stack = self.stack
        let top = stack.count
        defer { stack.setCount(top) }
        try stack.ensure(8)
        try value.write(to: stack)
        return try stack.value(at: -1)
    }

    /// A Lua value as a Swift value; throws when it is of another type.
    public func read<Value: LuaReadable>(_ value: LuaValue, as type: Value.Type = Value.self) throws -> Value {
        let stack = self.stack
        let top = stack.count
        defer { stack.setCount(top) }
        try stack.ensure(8)
        try stack.push(value)
        guard let result = try Value.read(from: stack, at: top + 1) else {
            throw LuaError(message: "\(Value.luaTypeName) expected, got \(stack.typeName(at: top + 1))")
        }
        return result
    }
}

extension Duration {
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(clamping: seconds).multipliedReportingOverflow(by: 1_000_000_000).partialValue
            &+ UInt64(clamping: attoseconds / 1_000_000_000)
    }
}

extension LuaLocation {
    init?(_ place: clua_place) {
        guard place.line > 0 else { return nil }
        var place = place
        let source = unsafe withUnsafeBytes(of: &place.source) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        self.init(source: source, line: Int(place.line))
    }
}

// Enumerators of C come as Int.
extension Int {
    var status: Int32 { Int32(self) }
}
