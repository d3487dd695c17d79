/// Any Lua value. Tables, functions, coroutines and objects are references into the state they came from.
public enum LuaValue {
    case `nil`
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case string(LuaString)
    case table(LuaTable)
    case function(LuaFunction)
    case coroutine(LuaThread)
    case object(LuaObjectReference)

    public static func text(_ text: some StringProtocol) -> LuaValue {
        .string(LuaString(text))
    }

    /// What Lua calls the type: `nil`, `boolean`, `number`, `string`, `table`, `function`, `thread`; an object gives its own name.
    public var typeName: String {
        switch self {
        case .nil: "nil"
        case .boolean: "boolean"
        case .integer, .number: "number"
        case .string: "string"
        case .table: "table"
        case .function: "function"
        case .coroutine: "thread"
        case .object(let object): object.typeName
        }
    }

    public var isNil: Bool {
        if case .nil = self { true } else { false }
    }

    /// What a Lua condition makes of it: all but nil and false.
    public var isTrue: Bool {
        switch self {
        case .nil, .boolean(false): false
        default: true
        }
    }

    public var boolean: Bool? {
        if case .boolean(let value) = self { value } else { nil }
    }

    /// An integer, or a float that is one.
    public var integer: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// A string that is UTF-8.
    public var string: String? {
        if case .string(let value) = self { value.text } else { nil }
    }

    public var bytes: [UInt8]? {
        if case .string(let value) = self { value.bytes } else { nil }
    }

    public var table: LuaTable? {
        if case .table(let value) = self { value } else { nil }
    }

    public var function: LuaFunction? {
        if case .function(let value) = self { value } else { nil }
    }

    /// The Swift value of an object, when it is of this type.
    public func object<Object: LuaObject>(_ type: Object.Type = Object.self) -> Object? {
        if case .object(let reference) = self { reference.value(as: type) } else { nil }
    }
}

/// As Lua's `rawequal`: strings by their bytes, tables and functions by identity, 1 equals 1.0.
extension LuaValue: Equatable {
    public static func == (a: LuaValue, b: LuaValue) -> Bool {
        switch (a, b) {
        case (.nil, .nil): true
        case (.boolean(let a), .boolean(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.integer(let a), .number(let b)), (.number(let b), .integer(let a)): Int(exactly: b) == a
        case (.number(let a), .number(let b)): a == b
        case (.string(let a), .string(let b)): a == b
        case (.table(let a), .table(let b)): a == b
        case (.function(let a), .function(let b)): a == b
        case (.coroutine(let a), .coroutine(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        default: false
        }
    }
}

extension LuaValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(nilLiteral: ()) { self = .nil }
}

/// A coroutine of a script, as a value: it can be kept and given back, not driven.
public struct LuaThread: Equatable {
    let reference: LuaReference

    public static func == (a: LuaThread, b: LuaThread) -> Bool {
        a.reference.identity == b.reference.identity
    }
}
