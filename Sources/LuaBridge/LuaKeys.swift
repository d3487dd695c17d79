internal import CLua

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

// The table that a keyed container reads or fills. To make a container costs more than to use it, as the runtime looks up half a dozen generic
// types, so a state keeps them: one is lent to the value being coded and comes back when that is done. Counting references on the way would
// cost more than all the rest; `LuaKeys` keeps what is not counted here.
@safe final class LuaFrame {
    @exclusivity(unchecked) private(set) var stack: LuaStack
    // `closed` when it is lent to nobody. Then the state may be gone.
    @exclusivity(unchecked) private(set) var index = closed
    @exclusivity(unchecked) private(set) var depth: Int32 = 0
    @exclusivity(unchecked) private(set) var place: LuaCodingPlace?
    @exclusivity(unchecked) private var stamp: UInt64 = 0
    fileprivate let keys: Unmanaged<LuaKeys>
    private let names: LuaKeyNames
    // Of the lent ones, or of those that wait.
    @exclusivity(unchecked) fileprivate var next: Unmanaged<LuaFrame>?
    // The standard library's container of this: one reference to an object.
    @exclusivity(unchecked) fileprivate var container: Unmanaged<AnyObject>?
    fileprivate let encodes: Bool

    private static let closed = Int32.max

    fileprivate init(_ stack: LuaStack, _ keys: LuaKeys, encodes: Bool) {
        unsafe self.stack = stack
        unsafe self.keys = Unmanaged.passUnretained(keys)
        names = keys.names
        self.encodes = encodes
    }

    var decoder: StackDecoder { unsafe StackDecoder(stack: stack, index: index, depth: depth, place: place) }
    var encoder: StackEncoder { unsafe StackEncoder(stack: stack, slot: index, depth: depth, place: place) }
    var at: Int { unsafe Int(index) }

    @inline(__always) var isOpen: Bool { unsafe index != Self.closed && stack.isTable(at: at) }

    @inline(__always) func check() throws {
        guard isOpen else { throw usedUp() }
    }

    @inline(never) private func usedUp() -> any Error {
        unsafe LuaCodingError(
            path: place.path.luaText, message: "the container was used after its value was \(encodes ? "encoded" : "decoded")")
    }

    fileprivate func open(_ stack: LuaStack, _ index: Int32, _ depth: Int32, _ place: LuaCodingPlace?) {
        unsafe self.stack = stack
        unsafe self.index = index
        unsafe self.depth = depth
        unsafe self.place = place
        unsafe stamp = index == Self.closed ? 0 : stack.stamp(of: at)
    }

    fileprivate func close() {
        unsafe index = Self.closed
        unsafe place = nil
    }

    // Pushes the field; `check` first.
    @inline(__always) func push<Key: CodingKey>(_ key: Key) throws {
        if let name = unsafe names.name(of: key) {
            _ = unsafe clua_get_name(stack.state, index, name, stamp)
        } else {
            try pushUnnamed(key)
        }
    }

    @inline(never) private func pushUnnamed(_ key: some CodingKey) throws {
        if unsafe keys._withUnsafeGuaranteedRef({ $0.learn(key) }) { return try push(key) }
        try decoder.pushField(key.stringValue, key.intValue)
    }

    // The value on top becomes the field; `check` first.
    @inline(__always) func set<Key: CodingKey>(_ key: Key) throws {
        if let name = unsafe names.name(of: key) {
            unsafe clua_set_name(stack.state, index, name, stamp)
        } else {
            try setUnnamed(key)
        }
    }

    @inline(never) private func setUnnamed(_ key: some CodingKey) throws {
        if unsafe keys._withUnsafeGuaranteedRef({ $0.learn(key) }) { return try set(key) }
        try encoder.setTop(key.stringValue, key.intValue)
    }
}

// The names of keys that are one byte (enums with up to 256 cases) or none, as C strings that stay where they are: Lua finds them by the address.
@safe struct LuaKeyNames {
    private enum Form { case nothing, byte, larger }

    private let form: Form
    private let names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private static let capacity = 64

    fileprivate init<Key: CodingKey>(of type: Key.Type) {
        form = MemoryLayout<Key>.size == 0 ? .nothing : MemoryLayout<Key>.size == 1 ? .byte : .larger
        unsafe names = .allocate(capacity: Self.capacity)
        unsafe names.initialize(repeating: nil, count: Self.capacity)
    }

    fileprivate func deallocate() {
        for index in 0..<Self.capacity { unsafe free(names[index]) }
        unsafe names.deallocate()
    }

    // .max: none that is kept.
    @inline(__always) private func position<Key: CodingKey>(of key: Key) -> Int {
        switch form {
        case .nothing: return 0
        case .byte: return unsafe withUnsafeBytes(of: key) { unsafe Int($0.baseAddress.unsafelyUnwrapped.load(as: UInt8.self)) }
        case .larger: return .max
        }
    }

    @inline(__always) func name<Key: CodingKey>(of key: Key) -> UnsafePointer<CChar>? {
        let position = position(of: key)
        return unsafe position < Self.capacity ? names[position].map { unsafe UnsafePointer($0) } : nil
    }

    // False: a key with an index, or one whose name must be asked for each time.
    fileprivate func learn(_ key: some CodingKey) -> Bool {
        let position = position(of: key)
        guard position < Self.capacity, key.intValue == nil, !key.stringValue.utf8.contains(0) else { return false }
        guard let copy = unsafe strdup(key.stringValue) else { return false }
        unsafe names[position] = copy
        return true
    }
}

// What a state keeps for a type of keys.
@safe final class LuaKeys {
    let names: LuaKeyNames
    @exclusivity(unchecked) fileprivate var waiting: (decoding: Unmanaged<LuaFrame>?, encoding: Unmanaged<LuaFrame>?)
    private var all: [(frame: LuaFrame, container: AnyObject)] = []

    fileprivate init<Key: CodingKey>(of type: Key.Type) {
        names = LuaKeyNames(of: type)
    }

    deinit {
        for (frame, _) in all { frame.close() }
        names.deallocate()
    }

    fileprivate func learn(_ key: some CodingKey) -> Bool { names.learn(key) }

    @inline(never) fileprivate func add<Key: CodingKey>(_ type: Key.Type, _ stack: LuaStack, encodes: Bool) -> Unmanaged<LuaFrame> {
        let frame = LuaFrame(stack, self, encodes: encodes)
        let container =
            encodes
            ? unsafe unsafeBitCast(KeyedEncodingContainer(StackKeyedEncoding<Key>(frame: frame)), to: AnyObject.self)
            : unsafe unsafeBitCast(KeyedDecodingContainer(StackKeyedContainer<Key>(frame: frame)), to: AnyObject.self)
        unsafe frame.container = Unmanaged.passUnretained(container)
        all.append((frame, container))
        return unsafe Unmanaged.passUnretained(frame)
    }
}

@safe struct LuaContainers {
    private var known: [ObjectIdentifier: LuaKeys] = [:]
    private var last: (type: ObjectIdentifier, keys: Unmanaged<LuaKeys>)?
    // The last one first.
    private(set) var lent: Unmanaged<LuaFrame>?

    private mutating func keys<Key: CodingKey>(of type: Key.Type) -> Unmanaged<LuaKeys> {
        if let last = unsafe last, unsafe last.type == ObjectIdentifier(type) { return unsafe last.keys }
        return unsafe lookUp(type)
    }

    @inline(never) private mutating func lookUp<Key: CodingKey>(_ type: Key.Type) -> Unmanaged<LuaKeys> {
        let keys = known[ObjectIdentifier(type)] ?? LuaKeys(of: type)
        known[ObjectIdentifier(type)] = keys
        unsafe last = (ObjectIdentifier(type), Unmanaged.passUnretained(keys))
        return unsafe Unmanaged.passUnretained(keys)
    }

    mutating func decoding<Key: CodingKey>(_ decoder: StackDecoder) -> KeyedDecodingContainer<Key> {
        let frame = unsafe keys(of: Key.self)._withUnsafeGuaranteedRef { keys in
            guard let frame = unsafe keys.waiting.decoding else { return unsafe keys.add(Key.self, decoder.stack, encodes: false) }
            unsafe keys.waiting.decoding = frame._withUnsafeGuaranteedRef { unsafe $0.next }
            return unsafe frame
        }
        return unsafe lend(frame, decoder.stack, decoder.index, decoder.depth, decoder.place)
    }

    mutating func encoding<Key: CodingKey>(_ encoder: StackEncoder) -> KeyedEncodingContainer<Key> {
        let frame = unsafe keys(of: Key.self)._withUnsafeGuaranteedRef { keys in
            guard let frame = unsafe keys.waiting.encoding else { return unsafe keys.add(Key.self, encoder.stack, encodes: true) }
            unsafe keys.waiting.encoding = frame._withUnsafeGuaranteedRef { unsafe $0.next }
            return unsafe frame
        }
        return unsafe lend(frame, encoder.stack, encoder.slot, encoder.depth, encoder.place)
    }

    @inline(__always) private mutating func lend<Container>(
        _ frame: Unmanaged<LuaFrame>, _ stack: LuaStack, _ index: Int32, _ depth: Int32, _ place: LuaCodingPlace?
    ) -> Container {
        let outer = unsafe lent
        unsafe lent = frame
        return unsafe frame._withUnsafeGuaranteedRef { lentFrame in
            lentFrame.open(stack, index, depth, place)
            unsafe lentFrame.next = outer
            return unsafe withUnsafeBytes(of: &lentFrame.container) { unsafe $0.assumingMemoryBound(to: Container.self)[0] }
        }
    }

    // All that were lent since. One whose container somebody has kept stays closed for ever.
    mutating func takeBack(to mark: Unmanaged<LuaFrame>?) {
        while let frame = unsafe lent, unsafe frame.toOpaque() != mark?.toOpaque() {
            unsafe frame._withUnsafeGuaranteedRef { frame in
                unsafe lent = frame.next
                frame.close()
                takeBack(frame)
            }
        }
    }

    private func takeBack(_ frame: LuaFrame) {
        let isKept = unsafe withUnsafeMutableBytes(of: &frame.container) {
            unsafe !isKnownUniquelyReferenced(&$0.assumingMemoryBound(to: AnyObject.self)[0])
        }
        guard !isKept else { return }
        frame.giveBack()
    }
}

extension LuaFrame {
    fileprivate func giveBack() {
        let this = unsafe Unmanaged.passUnretained(self)
        unsafe keys._withUnsafeGuaranteedRef { keys in
            if encodes {
                unsafe next = keys.waiting.encoding
                unsafe keys.waiting.encoding = this
            } else {
                unsafe next = keys.waiting.decoding
                unsafe keys.waiting.decoding = this
            }
        }
    }
}
