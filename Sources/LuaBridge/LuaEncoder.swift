/// Makes Lua values of `Encodable` ones: structs and dictionaries become records, arrays lists, nil in a list `LuaNull`; nil fields are
/// left out.
public struct LuaEncoder {
    /// Containers inside one another.
    public var depth: Int

    public init(depth: Int = 100) {
        self.depth = depth
    }

    /// Throws `LuaCodingError`, and whatever the value's own `encode` throws.
    public func tree(of value: some Encodable) throws -> LuaTree {
        try convertingCodingErrors { try TreeEncoder.tree(of: value, at: [], depth: depth) }
    }

    public func encode(_ value: some Encodable, in lua: Lua) throws -> LuaValue {
        let stack = lua.stack
        let top = stack.count
        defer { stack.setCount(top) }
        try stack.ensure(8)
        try encode(value, to: stack)
        return try stack.value(at: -1)
    }

    @usableFromInline static func encode(_ value: some Encodable, to stack: LuaStack) throws {
        try LuaEncoder(depth: stack.lua.limits.depth).encode(value, to: stack)
    }

    // Pushes the value, without a tree in between.
    func encode(_ value: some Encodable, to stack: LuaStack) throws {
        let top = stack.count
        do {
            try convertingCodingErrors { try StackEncoder.push(value, to: stack, depth: Int32(clamping: depth), place: nil) }
        } catch {
            stack.setCount(top)
            throw error
        }
        if stack.isMarker(at: -1) {
            stack.pop()
            stack.pushNil()
        }
    }
}

// What has been encoded so far; a class, because containers are handed out before they are filled.
private final class TreeNode {
    enum Content {
        case empty
        case leaf(LuaTree)
        case list([TreeNode])
        case record([LuaTree.Key: TreeNode])
    }

    var content = Content.empty

    var tree: LuaTree {
        switch content {
        case .empty: .record([:])
        case .leaf(let tree): tree
        case .list(let nodes): nodes.isEmpty ? .record([:]) : .list(nodes.map(\.tree))
        case .record(let nodes): .record(nodes.mapValues(\.tree))
        }
    }

    func append(_ node: TreeNode) {
        var nodes: [TreeNode] = []
        if case .list(let present) = content { nodes = present }
        nodes.append(node)
        content = .list(nodes)
    }

    func set(_ key: LuaTree.Key, _ node: TreeNode) {
        var nodes: [LuaTree.Key: TreeNode] = [:]
        if case .record(let present) = content { nodes = present }
        nodes[key] = node
        content = .record(nodes)
    }

    var count: Int {
        if case .list(let nodes) = content { nodes.count } else { 0 }
    }
}

private final class TreeEncoder: Encoder {
    let node: TreeNode
    let codingPath: [any CodingKey]
    let depth: Int
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(node: TreeNode, codingPath: [any CodingKey], depth: Int) {
        self.node = node
        self.codingPath = codingPath
        self.depth = depth
    }

    static func tree(of value: some Encodable, at path: [any CodingKey], depth: Int) throws -> LuaTree {
        if let tree = value as? LuaTree { return tree }
        if let string = value as? LuaString { return .string(string) }
        guard path.count <= depth else { throw LuaCodingError(path: path.luaText, message: "nested deeper than \(depth) containers") }
        let node = TreeNode()
        try value.encode(to: TreeEncoder(node: node, codingPath: path, depth: depth))
        return node.tree
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .record = node.content {} else { node.content = .record([:]) }
        return KeyedEncodingContainer(TreeKeyedContainer<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .list = node.content {} else { node.content = .list([]) }
        return TreeUnkeyedContainer(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        self
    }

    func nested(_ key: any CodingKey) -> TreeEncoder {
        TreeEncoder(node: TreeNode(), codingPath: codingPath + [key], depth: depth)
    }
}

extension TreeEncoder: SingleValueEncodingContainer {
    func encodeNil() { node.content = .leaf(.null) }
    func encode(_ value: Bool) { node.content = .leaf(.boolean(value)) }
    func encode(_ value: String) { node.content = .leaf(.text(value)) }
    func encode(_ value: Double) { node.content = .leaf(.number(value)) }
    func encode(_ value: Float) { node.content = .leaf(.number(Double(value))) }
    func encode(_ value: Int) { node.content = .leaf(.integer(value)) }
    func encode(_ value: Int8) throws { try encode(integer: value) }
    func encode(_ value: Int16) throws { try encode(integer: value) }
    func encode(_ value: Int32) throws { try encode(integer: value) }
    func encode(_ value: Int64) throws { try encode(integer: value) }
    func encode(_ value: UInt) throws { try encode(integer: value) }
    func encode(_ value: UInt8) throws { try encode(integer: value) }
    func encode(_ value: UInt16) throws { try encode(integer: value) }
    func encode(_ value: UInt32) throws { try encode(integer: value) }
    func encode(_ value: UInt64) throws { try encode(integer: value) }

    func encode(_ value: some Encodable) throws {
        node.content = .leaf(try Self.tree(of: value, at: codingPath, depth: depth))
    }

    private func encode(integer value: some FixedWidthInteger) throws {
        guard let value = Int(exactly: value) else {
            throw LuaCodingError(path: codingPath.luaText, message: "the integer \(value) does not fit into 64 bits with a sign")
        }
        encode(value)
    }
}

private struct TreeKeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: TreeEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }

    private func add(_ key: any CodingKey, _ node: TreeNode) {
        encoder.node.set(key.luaKey, node)
    }

    // A nil field is a field that is not there.
    func encodeNil(forKey key: Key) {}

    func encode(_ value: some Encodable, forKey key: Key) throws {
        let nested = encoder.nested(key)
        nested.node.content = .leaf(try TreeEncoder.tree(of: value, at: nested.codingPath, depth: encoder.depth))
        if case .leaf(.null) = nested.node.content, !(value is LuaTree) { return }
        add(key, nested.node)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        let nested = encoder.nested(key)
        add(key, nested.node)
        return nested.container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        let nested = encoder.nested(key)
        add(key, nested.node)
        return nested.unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        superEncoder(named: IndexKey(name: "super"))
    }

    func superEncoder(forKey key: Key) -> any Encoder {
        superEncoder(named: key)
    }

    private func superEncoder(named key: any CodingKey) -> any Encoder {
        let nested = encoder.nested(key)
        add(key, nested.node)
        return nested
    }
}

private struct TreeUnkeyedContainer: UnkeyedEncodingContainer {
    let encoder: TreeEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { encoder.node.count }

    private func next() -> TreeEncoder {
        let nested = encoder.nested(IndexKey(count + 1))
        encoder.node.append(nested.node)
        return nested
    }

    func encodeNil() {
        next().encodeNil()
    }

    func encode(_ value: some Encodable) throws {
        let nested = next()
        nested.node.content = .leaf(try TreeEncoder.tree(of: value, at: nested.codingPath, depth: encoder.depth))
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        next().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        next().unkeyedContainer()
    }

    func superEncoder() -> any Encoder {
        next()
    }
}
