internal import CLua

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
    public static func read(from stack: LuaStack, at index: Int) -> Self? {
        (stack.box(at: index) as? LuaBox<Self>)?.value
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
class LuaAnyBox {
    var typeName: String { "userdata" }
    var anyValue: Any? { nil }
}

final class LuaBox<Object: LuaObject>: LuaAnyBox {
    let value: Object

    init(_ value: Object) {
        self.value = value
    }

    override var typeName: String { Object.luaTypeName }
    override var anyValue: Any? { value }
}

// The address of an entry is the type of an object, as Lua keeps it.
final class LuaTypeEntry {}

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

    private func named(_ name: String) -> String {
        "\(Object.luaTypeName):\(name)"
    }

    /// `object:name(arguments)`.
    public func method<each Argument: LuaReadable, Result: LuaWritable>(
        _ name: String, _ body: @escaping (Object, repeat each Argument) throws -> Result
    ) {
        let full = named(name)
        methods[name] = { stack in
            try stack.ensure(8)
            let object = try stack.object(Object.self, of: full)
            var index = 1
            func next() -> Int {
                index += 1
                return index
            }
            try body(object, repeat stack.argument(next(), of: full, as: (each Argument).self)).write(to: stack)
            return 1
        }
    }

    /// `object:name(arguments)` without a result.
    public func method<each Argument: LuaReadable>(_ name: String, _ body: @escaping (Object, repeat each Argument) throws -> Void) {
        let full = named(name)
        methods[name] = { stack in
            try stack.ensure(8)
            let object = try stack.object(Object.self, of: full)
            var index = 1
            func next() -> Int {
                index += 1
                return index
            }
            try body(object, repeat stack.argument(next(), of: full, as: (each Argument).self))
            return 0
        }
    }

    /// `object:name(...)`; the call's arguments do not include the object.
    public func method(_ name: String, _ body: @escaping (Object, LuaCall) throws -> [LuaValue]) {
        let full = named(name)
        methods[name] = { stack in
            let object = try stack.object(Object.self, of: full)
            let call = try stack.call(full)
            let rest = LuaCall(lua: call.lua, name: full, arguments: Array(call.arguments.dropFirst()), location: call.location)
            return try stack.write(body(object, rest))
        }
    }

    /// `object.name`, read only.
    public func property<Result: LuaWritable>(_ name: String, _ body: @escaping (Object) throws -> Result) {
        let full = "\(Object.luaTypeName).\(name)"
        getters[name] = { stack in
            try stack.ensure(8)
            try body(stack.object(Object.self, of: full)).write(to: stack)
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
        let full = "tostring of \(Object.luaTypeName)"
        metamethods[.text] = { stack in
            try stack.ensure(8)
            try body(stack.object(Object.self, of: full)).write(to: stack)
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
    fileprivate func object<Object: LuaObject>(_ type: Object.Type, of name: String) throws -> Object {
        guard let object = try Object.read(from: self, at: 1) else {
            throw LuaComplaint("'\(name)' needs \(Object.luaTypeName), got \(typeName(at: 1)): is it called with ':'?")
        }
        return object
    }
}

extension Lua {
    func push<Object: LuaObject>(object: Object, to stack: LuaStack) throws {
        try stack.ensure(16)
        let type = try entry(for: Object.self, on: stack)
        let box = LuaBox(object)
        unsafe clua_push_object(
            stack.state, Unmanaged.passRetained(box as LuaAnyBox).toOpaque(), UnsafeRawPointer(Unmanaged.passUnretained(type).toOpaque()))
    }

    private func entry<Object: LuaObject>(for type: Object.Type, on stack: LuaStack) throws -> LuaTypeEntry {
        if let known = types[ObjectIdentifier(type)] { return known }
        let entry = LuaTypeEntry()
        types[ObjectIdentifier(type)] = entry
        let description = LuaType<Object>(lua: self)
        Object.describe(description)
        let top = stack.count
        defer { stack.setCount(top) }
        unsafe clua_new_type(stack.state, UnsafeRawPointer(Unmanaged.passUnretained(entry).toOpaque()))
        let metatable = stack.count
        try stack.push(Object.luaTypeName)
        try stack.rawSet(metatable, field: "__name")
        let missing = description.metamethods.removeValue(forKey: .index)
        for metamethod in LuaMetamethod.allCases {
            guard let body = description.metamethods[metamethod] else { continue }
            pushFunction(body, to: stack)
            try stack.rawSet(metatable, field: metamethod.rawValue)
        }
        try pushTable(description.methods, to: stack)
        try pushTable(description.getters, to: stack)
        let names = Array(description.methods.keys) + description.getters.keys
        pushFunction(missing ?? missingField(Object.luaTypeName, names), to: stack)
        unsafe clua_push_index(stack.state)
        try stack.rawSet(metatable, field: "__index")
        return entry
    }

    private func pushTable(_ functions: [String: (LuaStack) throws -> Int32], to stack: LuaStack) throws {
        stack.newTable(record: functions.count)
        let table = stack.count
        for (name, body) in functions {
            pushFunction(body, to: stack)
            try stack.rawSet(table, field: name)
        }
    }
}
