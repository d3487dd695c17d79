/// In JSON: as it looks, but nothing is lost. What JSON has no word for is an object with one field that starts with `$`.
extension LuaTree: Codable {
    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ text: String) { stringValue = text }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private static let number = Name("$number")
    private static let bytes = Name("$bytes")
    private static let pairs = Name("$pairs")

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .null:
            var container = encoder.singleValueContainer()
            try container.encodeNil()
        case .boolean(let value): try value.encode(to: encoder)
        case .integer(let value): try value.encode(to: encoder)
        case .number(let value):
            // A whole number would come back as an integer.
            if value.isFinite && value != value.rounded() { return try value.encode(to: encoder) }
            var container = encoder.container(keyedBy: Name.self)
            try container.encode(value.isNaN ? "nan" : "\(value)", forKey: Self.number)
        case .string(let value):
            if let text = value.text { return try text.encode(to: encoder) }
            var container = encoder.container(keyedBy: Name.self)
            try container.encode(value.bytes, forKey: Self.bytes)
        case .list(let elements): try elements.encode(to: encoder)
        case .record(let fields): try encode(fields, to: encoder)
        }
    }

    private func encode(_ fields: [Key: LuaTree], to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        let names = fields.keys.compactMap { key -> (String, Key)? in
            guard case .string(let name) = key, let text = name.text, !text.hasPrefix("$") else { return nil }
            return (text, key)
        }
        if names.count == fields.count {
            for (name, key) in names { try container.encode(fields[key], forKey: Name(name)) }
            return
        }
        var pairs = container.nestedUnkeyedContainer(forKey: Self.pairs)
        for key in fields.keys.sorted() {
            switch key {
            case .integer(let index): try pairs.encode(index)
            case .string(let name): try pairs.encode(LuaTree.string(name))
            }
            try pairs.encode(fields[key])
        }
    }

    public init(from decoder: any Decoder) throws {
        if let list = try? decoder.unkeyedContainer() {
            var container = list
            var elements: [LuaTree] = []
            while !container.isAtEnd { elements.append(try container.decode(LuaTree.self)) }
            self = elements.isEmpty ? .record([:]) : .list(elements)
            return
        }
        if let fields = try? decoder.container(keyedBy: Name.self) {
            self = try Self.decode(fields)
            return
        }
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let value = try? single.decode(Bool.self) {
            self = .boolean(value)
        } else if let value = try? single.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? single.decode(Double.self) {
            self = .number(value)
        } else {
            self = .text(try single.decode(String.self))
        }
    }

    private static func decode(_ container: KeyedDecodingContainer<Name>) throws -> LuaTree {
        if container.contains(number), let value = Double(try container.decode(String.self, forKey: number)) { return .number(value) }
        if container.contains(bytes) { return .string(LuaString(bytes: try container.decode([UInt8].self, forKey: bytes))) }
        var fields: [Key: LuaTree] = [:]
        if container.contains(pairs) {
            var list = try container.nestedUnkeyedContainer(forKey: pairs)
            while !list.isAtEnd {
                let key: Key
                switch try list.decode(LuaTree.self) {
                case .integer(let index): key = .integer(index)
                case .string(let name): key = .string(name)
                default: throw DecodingError.dataCorruptedError(in: list, debugDescription: "a key is an integer or a string")
                }
                fields[key] = try list.decode(LuaTree.self)
            }
            return .record(fields)
        }
        for name in container.allKeys { fields[.string(LuaString(name.stringValue))] = try container.decode(LuaTree.self, forKey: name) }
        return .record(fields)
    }
}
