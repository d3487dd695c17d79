/// A Lua value without references: what can be kept, compared, sent and written to a journal.
public indirect enum LuaTree: Hashable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case string(LuaString)
    /// The fields 1, 2, ... n and no others; at least one.
    case list([LuaTree])
    case record([Key: LuaTree])

    public enum Key: Hashable, Sendable, Comparable, ExpressibleByStringLiteral, CustomStringConvertible {
        case integer(Int)
        case string(LuaString)

        public init(stringLiteral value: String) {
            self = .string(LuaString(value))
        }

        /// Integers ascending, then strings bytewise.
        public static func < (a: Key, b: Key) -> Bool {
            switch (a, b) {
            case (.integer(let a), .integer(let b)): a < b
            case (.string(let a), .string(let b)): a < b
            case (.integer, .string): true
            case (.string, .integer): false
            }
        }

        public var description: String {
            switch self {
            case .integer(let value): "[\(value)]"
            case .string(let value): value.description
            }
        }
    }

    public static func text(_ text: some StringProtocol) -> LuaTree {
        .string(LuaString(text))
    }
}

extension LuaTree: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .number(value) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: LuaTree...) { self = elements.isEmpty ? .record([:]) : .list(elements) }
    public init(dictionaryLiteral elements: (Key, LuaTree)...) { self = .record(Dictionary(elements) { _, last in last }) }
}

/// A value that cannot become what it should: where in it, and why.
public struct LuaCodingError: LuaErrorConvertible, CustomStringConvertible {
    /// `clusters.east.ports[2]`; empty for the value itself.
    public let path: String
    public let message: String

    public init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    public var description: String {
        path.isEmpty ? message : "\(path): \(message)"
    }

    public var luaMessage: String { description }
    public var luaFields: [(String, LuaTree)] { [("field", .text(path))] }
}

// Where a value is, from the inside out; made into text when something is wrong there.
final class LuaPath {
    private let outer: LuaPath?
    private let key: LuaTree.Key
    let depth: Int

    init(_ outer: LuaPath?, _ key: LuaTree.Key) {
        self.outer = outer
        self.key = key
        depth = (outer?.depth ?? 0) + 1
    }

    static func text(of path: LuaPath?) -> String {
        var keys: [LuaTree.Key] = []
        var place = path
        while let inner = place {
            keys.append(inner.key)
            place = inner.outer
        }
        return text(of: keys.reversed())
    }

    // `clusters.east.ports[2]`; a name that is a text of its own is cut.
    static func text(of keys: [LuaTree.Key]) -> String {
        var text = ""
        for key in keys {
            switch key {
            case .integer(let index): text += "[\(index)]"
            case .string(let name):
                let shown = name.bytes.count > 200 ? LuaString(bytes: Array(name.bytes.prefix(200))).description + "..." : name.description
                text += text.isEmpty ? shown : ".\(shown)"
            }
        }
        return text
    }
}

extension Lua {
    /// Copies a value out of Lua. Functions, coroutines, objects, tables nested deeper than the limit and cycles throw `LuaCodingError`, and so
    /// does what would not fit the memory limit as a tree: one table that stands in many places is copied for each.
    public func tree(of value: LuaValue) throws -> LuaTree {
        var copy = TreeCopy(lua: self)
        return try copy.tree(of: value, at: nil)
    }
}

private struct TreeCopy {
    let lua: Lua
    private var ancestors: Set<LuaTable> = []
    private var room: Int

    // What a node weighs at least.
    private static let node = 64

    init(lua: Lua) {
        self.lua = lua
        room = lua.limits.memory / Self.node
    }

    mutating func tree(of value: LuaValue, at path: LuaPath?) throws -> LuaTree {
        room -= 1
        guard room >= 0 else { throw failure(path, "larger than the memory limit when every table in it is copied") }
        switch value {
        case .nil: return .null
        case .boolean(let value): return .boolean(value)
        case .integer(let value): return .integer(value)
        case .number(let value): return .number(value)
        case .string(let value):
            room -= value.bytes.count / Self.node
            return .string(value)
        case .object(let object) where object.value(as: LuaNull.self) != nil: return .null
        case .function, .coroutine, .object: throw failure(path, "a value of type \(value.typeName) cannot be stored")
        case .table(let table):
            guard path?.depth ?? 0 < lua.limits.depth else { throw failure(path, "nested deeper than \(lua.limits.depth) tables") }
            guard ancestors.insert(table).inserted else { throw failure(path, "the table contains itself") }
            defer { ancestors.remove(table) }
            return try tree(of: table, at: path)
        }
    }

    private func failure(_ path: LuaPath?, _ message: String) -> LuaCodingError {
        LuaCodingError(path: LuaPath.text(of: path), message: message)
    }

    private mutating func tree(of table: LuaTable, at path: LuaPath?) throws -> LuaTree {
        let pairs: [(key: LuaValue, value: LuaValue)]
        do {
            pairs = try table.pairs()
        } catch {
            if error.isTermination { throw error }
            throw failure(path, error.message)
        }
        var record: [LuaTree.Key: LuaTree] = [:]
        var list: [LuaTree] = []
        for (key, value) in pairs {
            let treeKey: LuaTree.Key =
                switch key {
                case .integer(let index): .integer(index)
                case .string(let name): .string(name)
                default: throw failure(path, "a key of type \(key.typeName)")
                }
            let element = try tree(of: value, at: LuaPath(path, treeKey))
            if treeKey == .integer(list.count + 1) { list.append(element) }
            record[treeKey] = element
        }
        return !list.isEmpty && list.count == record.count ? .list(list) : .record(record)
    }
}

extension Lua {
    /// Makes Lua values of a tree. `null` becomes nil at the top, `LuaNull` inside.
    public func value(of tree: LuaTree) throws(LuaError) -> LuaValue {
        let stack = self.stack
        let top = stack.count
        defer { stack.setCount(top) }
        if tree == .null { return .nil }
        try push(tree, to: stack, depth: 0)
        return try stack.value(at: -1)
    }

    func push(_ tree: LuaTree, to stack: LuaStack, depth: Int) throws(LuaError) {
        guard depth <= limits.depth else { throw LuaError(message: "nested deeper than \(limits.depth) tables") }
        try stack.ensure(12)
        switch tree {
        case .null:
            do {
                try push(object: LuaNull(), to: stack)
            } catch {
                throw LuaError(message: "\(error)")
            }
        case .boolean(let value): stack.push(value)
        case .integer(let value): stack.push(value)
        case .number(let value): stack.push(value)
        case .string(let value): try stack.push(bytes: value.bytes)
        case .list(let elements):
            stack.newTable(array: elements.count)
            let table = stack.count
            for (index, element) in elements.enumerated() {
                try push(element, to: stack, depth: depth + 1)
                stack.rawSet(table, index: index + 1)
            }
        case .record(let fields):
            stack.newTable(record: fields.count)
            let table = stack.count
            for key in fields.keys.sorted() {
                guard let value = fields[key] else { continue }
                switch key {
                case .integer(let index): stack.push(index)
                case .string(let name): try stack.push(bytes: name.bytes)
                }
                try push(value, to: stack, depth: depth + 1)
                stack.rawSet(table)
            }
        }
    }
}
