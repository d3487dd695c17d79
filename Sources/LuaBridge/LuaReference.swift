internal import CLua
internal import DRSupport

// What outlives a state for the values of it that Swift still holds: whether it is there, and the slots they give back, on whatever thread
// they die; the state clears them when it next needs one.
@usableFromInline @safe final class LuaHome: @unchecked Sendable {
    // Set and read in the state's isolation domain alone.
    @exclusivity(unchecked) unowned(unsafe) var lua: Lua?
    @usableFromInline @exclusivity(unchecked) var core: OpaquePointer?
    private let slots = Lock<[Int32]>([])

    var owner: Unmanaged<Lua>? { unsafe lua.map { unsafe Unmanaged.passUnretained($0) } }

    func add(_ slot: Int32) {
        slots.withLock { $0.append(slot) }
    }

    func take() -> [Int32] {
        slots.withLock { slots in
            let taken = slots
            if !taken.isEmpty { slots = [] }
            return taken
        }
    }
}

// A Lua value kept alive for Swift. It does not keep the state alive: a closure inside Lua that holds references makes no cycle through them.
@usableFromInline final class LuaReference {
    @usableFromInline let home: LuaHome
    @usableFromInline let slot: Int32
    let identity: UInt

    init(home: LuaHome, slot: Int32, identity: UInt) {
        self.home = home
        self.slot = slot
        self.identity = identity
    }

    deinit {
        home.add(slot)
    }

    var lua: Lua? { unsafe home.lua }

    func owner() throws(LuaError) -> Lua {
        guard let lua = unsafe home.lua else { throw closed }
        return lua
    }

    @usableFromInline var closed: LuaError { LuaError(kind: .closed, message: "the Lua state of this value is gone") }
}
