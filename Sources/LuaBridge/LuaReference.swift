internal import DRSupport

// Slots given back by references, on whatever thread they died; the state clears them when it next needs one.
final class ReleasedSlots: Sendable {
    private let slots = Lock<[Int32]>([])

    func add(_ slot: Int32) {
        slots.withLock { $0.append(slot) }
    }

    func take() -> [Int32] {
        slots.withLock { slots in
            let taken = slots
            slots.removeAll(keepingCapacity: true)
            return taken
        }
    }
}

// A Lua value kept alive for Swift. Weak towards the state: a closure inside Lua that holds references makes no cycle through them.
final class LuaReference {
    weak var lua: Lua?
    let slot: Int32
    let identity: UInt
    private let released: ReleasedSlots

    init(lua: Lua, slot: Int32, identity: UInt, released: ReleasedSlots) {
        self.lua = lua
        self.slot = slot
        self.identity = identity
        self.released = released
    }

    deinit {
        released.add(slot)
    }

    func owner() throws(LuaError) -> Lua {
        guard let lua else { throw LuaError(kind: .closed, message: "the Lua state of this value is gone") }
        return lua
    }
}
