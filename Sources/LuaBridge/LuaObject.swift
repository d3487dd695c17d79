public import CLua

/// A Swift type whose values scripts use as objects: with methods, properties and operators, and nothing else.
///
/// Each type describes itself once per state. Objects have no fields of their own and print no addresses.
public protocol LuaObject: LuaReadable, LuaWritable {
    /// What Lua calls the type, in errors too.
    static var luaTypeName: String { get }
    /// Adds methods, properties and metamethods.
    static func describe(_ type: LuaType<Self>)
}

extension LuaObject {
    @inlinable @inline(__always) public static func read(from stack: LuaStack, at index: Int) -> Self? {
        guard let box = unsafe clua_object(stack.state, Int32(truncatingIfNeeded: index), luaType) else { return nil }
        return unsafe Unmanaged<LuaBox<Self>>.fromOpaque(box)._withUnsafeGuaranteedRef { $0.value }
    }

    // The type of an object, as Lua keeps it: the address of its metadata.
    @inlinable @inline(__always) static var luaType: UnsafeRawPointer? {
        unsafe UnsafeRawPointer(bitPattern: UInt(bitPattern: ObjectIdentifier(Self.self)))
    }

    public func write(to stack: LuaStack) throws {
        try stack.lua.push(object: self, to: stack)
    }
}

/// An object of the host as a script holds it.
public struct LuaObjectReference: Hashable {
    let reference: LuaReference

    public static func == (a: LuaObjectReference, b: LuaObjectReference) -> Bool {
        a.reference.identity == b.reference.identity
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(reference.identity)
    }

    private func box() -> LuaAnyBox? {
        guard let lua = reference.lua else { return nil }
        let stack = lua.stack
        guard (try? stack.ensure(4)) != nil, (try? stack.push(reference)) != nil else { return nil }
        defer { stack.pop() }
        return stack.box(at: -1)
    }

    /// The Swift value, or nil when it is of another type.
    public func value<Object: LuaObject>(as type: Object.Type = Object.self) -> Object? {
        (box() as? LuaBox<Object>)?.value
    }

    /// The Swift value, whatever it is.
    public var anyValue: Any? {
        box()?.anyValue
    }

    public var typeName: String {
        box()?.typeName ?? "userdata"
    }
}

// What Lua owns for an object.
@usableFromInline class LuaAnyBox {
    var typeName: String { "userdata" }
    var anyValue: Any? { nil }
}

@usableFromInline final class LuaBox<Object: LuaObject>: LuaAnyBox {
    @usableFromInline let value: Object

    init(_ value: Object) {
        self.value = value
    }

    override var typeName: String { Object.luaTypeName }
    override var anyValue: Any? { value }
}

/// What Lua's operators ask of an object.
public enum LuaMetamethod: String, Sendable, CaseIterable {
    case add = "__add"
    case subtract = "__sub"
    case multiply = "__mul"
    case divide = "__div"
    case floorDivide = "__idiv"
    case modulo = "__mod"
    case power = "__pow"
    case negate = "__unm"
    case concatenate = "__concat"
    case length = "__len"
    case equal = "__eq"
    case less = "__lt"
    case lessOrEqual = "__le"
    case call = "__call"
    case text = "__tostring"
    /// For names that are neither methods nor properties.
    case index = "__index"
    case newIndex = "__newindex"
    case pairs = "__pairs"
    case close = "__close"
}

/// The description of an object type in one state; filled by `LuaObject.describe`.
public final class LuaType<Object: LuaObject> {
    public let lua: Lua
    fileprivate var methods: [String: (LuaStack) throws -> Int32] = [:]
    fileprivate var getters: [String: (LuaStack) throws -> Int32] = [:]
    fileprivate var metamethods: [LuaMetamethod: (LuaStack) throws -> Int32] = [:]

    fileprivate init(lua: Lua) {
        self.lua = lua
    }

    // What errors call a method.
    private func name(of method: String) -> String {
        "\(Object.luaTypeName):\(method)"
    }

    @usableFromInline func add(_ method: String, _ function: LuaHostFunction) {
        methods[method] = function.body
    }

    /// `object:name(arguments)` with more than three of them.
    public func method<each Argument: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (Object, repeat each Argument) throws -> Result
    ) {
        methods[name] = { stack in
            try stack.ensure(8)
            let object: Object = try stack.object()
            var index = 1
            func next() -> Int {
                index += 1
                return index
            }
            try body(object, repeat stack.argument(next()) as each Argument).write(to: stack)
            return 1
        }
    }

    /// `object:name(...)`; the call's arguments do not include the object.
    public func method(_ name: String, _ body: @escaping (Object, LuaCall) throws -> [LuaValue]) {
        let full = self.name(of: name)
        methods[name] = { stack in
            let object: Object = try stack.object()
            let call = try stack.call(full)
            let rest = LuaCall(lua: call.lua, name: full, arguments: Array(call.arguments.dropFirst()))
            return try stack.write(body(object, rest))
        }
    }

    /// `object.name`, read only.
    public func property<Result: LuaWritable>(_ name: String, _ body: @escaping (Object) throws -> Result) {
        getters[name] = { stack in
            try stack.ensure(8)
            try body(stack.object()).write(to: stack)
            return 1
        }
    }

    /// An operator; the arguments are Lua's operands, of which one at least is such an object.
    public func metamethod(_ metamethod: LuaMetamethod, _ body: @escaping (LuaCall) throws -> [LuaValue]) {
        let full = "\(Object.luaTypeName).\(metamethod.rawValue)"
        metamethods[metamethod] = { stack in try stack.write(body(stack.call(full))) }
    }

    /// `==` between two such objects; with anything else Lua says false without asking.
    public func equal(_ body: @escaping (Object, Object) throws -> Bool) {
        compare(.equal, body)
    }

    /// `<` and `<=`; comparing with anything else raises.
    public func order(_ isLess: @escaping (Object, Object) throws -> Bool) {
        compare(.less, isLess)
        compare(.lessOrEqual) { a, b in try !isLess(b, a) }
    }

    /// `tostring`, `%s` and `print`.
    public func text(_ body: @escaping (Object) throws -> String) {
        metamethods[.text] = { stack in
            try stack.ensure(8)
            try body(stack.object()).write(to: stack)
            return 1
        }
    }

    private func compare(_ metamethod: LuaMetamethod, _ body: @escaping (Object, Object) throws -> Bool) {
        metamethods[metamethod] = { stack in
            guard let a = try Object.read(from: stack, at: 1), let b = try Object.read(from: stack, at: 2) else {
                throw LuaComplaint("cannot compare \(stack.typeName(at: 1)) with \(stack.typeName(at: 2))")
            }
            stack.push(try body(a, b))
            return 1
        }
    }
}

extension LuaStack {
    @inlinable @inline(__always) func object<Object: LuaObject>() throws -> Object {
        guard let object = try Object.read(from: self, at: 1) else { throw notAnObject(Object.luaTypeName) }
        return object
    }

    @usableFromInline @inline(never) func notAnObject(_ type: String) -> any Error {
        LuaMisuse.object("needs \(type), got \(typeName(at: 1)): is it called with ':'?")
    }
}

extension Lua {
    func push<Object: LuaObject>(object: Object, to stack: LuaStack) throws {
        try stack.ensure(16)
        if !types.contains(ObjectIdentifier(Object.self)) { try describe(Object.self, on: stack) }
        let box = LuaBox(object)
        unsafe clua_push_object(stack.state, Unmanaged.passRetained(box).toOpaque(), Object.luaType)
    }

    private func describe<Object: LuaObject>(_ type: Object.Type, on stack: LuaStack) throws {
        types.insert(ObjectIdentifier(type))
        let description = LuaType<Object>(lua: self)
        Object.describe(description)
        let top = stack.count
        defer { stack.setCount(top) }
        unsafe clua_new_type(stack.state, Object.luaType)
        let metatable = stack.count
        try stack.push(Object.luaTypeName)
        try stack.rawSet(metatable, field: "__name")
        let missing = description.metamethods.removeValue(forKey: .index)
        for metamethod in LuaMetamethod.allCases {
            guard let body = description.metamethods[metamethod] else { continue }
            let name = metamethod == .text ? "tostring of \(Object.luaTypeName)" : "\(Object.luaTypeName).\(metamethod.rawValue)"
            pushFunction(body, name: name, isPermanent: true, to: stack)
            try stack.rawSet(metatable, field: metamethod.rawValue)
        }
        let names = Array(description.methods.keys) + description.getters.keys
        try pushTable(description.methods, named: Object.luaTypeName + ":", to: stack)
        if description.getters.isEmpty && missing == nil {
            pushFunction(missingField(Object.luaTypeName, names), name: Object.luaTypeName, isPermanent: true, to: stack)
            unsafe clua_push_missing(stack.state)
        } else {
            try pushTable(description.getters, named: Object.luaTypeName + ".", to: stack)
            pushFunction(missing ?? missingField(Object.luaTypeName, names), name: Object.luaTypeName, isPermanent: true, to: stack)
            unsafe clua_push_index(stack.state)
        }
        try stack.rawSet(metatable, field: "__index")
    }

    private func pushTable(_ functions: [String: (LuaStack) throws -> Int32], named prefix: String, to stack: LuaStack) throws {
        stack.newTable(record: functions.count)
        let table = stack.count
        for (name, body) in functions {
            pushFunction(body, name: prefix + name, isPermanent: true, to: stack)
            try stack.rawSet(table, field: name)
        }
    }
}
