extension Value {
    /// The value as a Decodable type. Throws DecodingError with the path of what does not fit.
    public func decoded<T: Decodable>(as type: T.Type) throws -> T { try ValueDecoding.decode(type, from: self, within: nil) }
}

struct ValueDecoding: Decoder {
    let value: Value
    private let trail: CodingTrail?
    var codingPath: [any CodingKey] { trail.path }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func decode<T: Decodable>(_ type: T.Type, from value: Value, within trail: @autoclosure () -> CodingTrail?) throws -> T {
        if type == String.self, case .string(let text) = value, let result = text as? T { return result }
        if type == Value.self, let result = value as? T { return result }
        if type == Instant.self, case .instant(let instant) = value, let result = instant as? T { return result }
        if type == Duration.self, case .duration(let duration) = value, let result = duration as? T { return result }
        if type == RecoveryPoint.self, let point = RecoveryPoint(value), let result = point as? T { return result }
        return try T(from: ValueDecoding(value: value, trail: trail()))
    }

    func mismatch(_ type: Any.Type, _ expected: String) -> DecodingError {
        .typeMismatch(type, .init(codingPath: codingPath, debugDescription: "expected \(expected), got \(value.kind)"))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let members = value.map else { throw mismatch([String: Value].self, "a table") }
        return KeyedDecodingContainer(Keyed<Key>(decoding: self, members: members))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let items = value.list else { throw mismatch([Value].self, "a list") }
        return Unkeyed(decoding: self, items: items)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { Single(decoding: self) }

    struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let decoding: ValueDecoding
        let members: [String: Value]
        var codingPath: [any CodingKey] { decoding.codingPath }
        var allKeys: [Key] { members.keys.sorted().compactMap { Key(stringValue: $0) } }

        private func value(_ key: Key) throws -> Value {
            guard let value = members[key.stringValue] else {
                throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "\(key.stringValue) is missing"))
            }
            return value
        }

        private func trail(_ key: Key) -> CodingTrail { CodingTrail(key, within: decoding.trail) }
        private func member(_ key: Key) throws -> ValueDecoding { ValueDecoding(value: try value(key), trail: trail(key)) }

        func contains(_ key: Key) -> Bool { members[key.stringValue] != nil }
        func decodeNil(forKey key: Key) throws -> Bool { try value(key).isNull }
        func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
            if case .bool(let flag) = try value(key) { flag } else { try Single(decoding: member(key)).decode(type) }
        }
        func decode(_ type: String.Type, forKey key: Key) throws -> String {
            if case .string(let text) = try value(key) { text } else { try Single(decoding: member(key)).decode(type) }
        }
        func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 {
            if case .integer(let number) = try value(key) { number } else { try Single(decoding: member(key)).decode(type) }
        }
        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            try ValueDecoding.decode(type, from: try value(key), within: trail(key))
        }
        func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
            guard let value = members[key.stringValue], !value.isNull else { return nil }
            return try ValueDecoding.decode(type, from: value, within: trail(key))
        }
        func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
            try member(key).container(keyedBy: type)
        }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try member(key).unkeyedContainer() }
        func superDecoder() throws -> any Decoder { decoding }
        func superDecoder(forKey key: Key) throws -> any Decoder { try member(key) }
    }

    struct Unkeyed: UnkeyedDecodingContainer {
        struct Index: CodingKey {
            let intValue: Int?
            var stringValue: String { "\(intValue ?? 0)" }
            init(intValue: Int) { self.intValue = intValue }
            init?(stringValue: String) { nil }
        }

        let decoding: ValueDecoding
        let items: [Value]
        var currentIndex = 0
        var codingPath: [any CodingKey] { decoding.codingPath }
        var count: Int? { items.count }
        var isAtEnd: Bool { currentIndex >= items.count }

        init(decoding: ValueDecoding, items: [Value]) {
            self.decoding = decoding
            self.items = items
        }

        private mutating func nextIndex() throws -> Int {
            guard !isAtEnd else {
                throw DecodingError.valueNotFound(Value.self, .init(codingPath: codingPath, debugDescription: "the list ends here"))
            }
            defer { currentIndex += 1 }
            return currentIndex
        }

        private func trail(_ index: Int) -> CodingTrail { CodingTrail(Index(intValue: index), within: decoding.trail) }
        private mutating func next() throws -> ValueDecoding {
            let index = try nextIndex()
            return ValueDecoding(value: items[index], trail: trail(index))
        }

        mutating func decodeNil() throws -> Bool {
            guard !isAtEnd, items[currentIndex].isNull else { return false }
            currentIndex += 1
            return true
        }
        mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
            let index = try nextIndex()
            return try ValueDecoding.decode(type, from: items[index], within: trail(index))
        }
        mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
            try next().container(keyedBy: type)
        }
        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
        mutating func superDecoder() throws -> any Decoder { try next() }
    }

    struct Single: SingleValueDecodingContainer {
        let decoding: ValueDecoding
        var codingPath: [any CodingKey] { decoding.codingPath }

        func decodeNil() -> Bool { decoding.value.isNull }
        func decode(_ type: Bool.Type) throws -> Bool {
            guard let flag = decoding.value.bool else { throw decoding.mismatch(type, "a boolean") }
            return flag
        }
        func decode(_ type: String.Type) throws -> String {
            guard let text = decoding.value.string else { throw decoding.mismatch(type, "a string") }
            return text
        }
        func decode(_ type: Double.Type) throws -> Double {
            switch decoding.value {
            case .number(let number): return number
            case .integer(let number): return Double(number)
            default: throw decoding.mismatch(type, "a number")
            }
        }
        func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }
        func decode(_ type: Int.Type) throws -> Int { try integer() }
        func decode(_ type: Int8.Type) throws -> Int8 { try integer() }
        func decode(_ type: Int16.Type) throws -> Int16 { try integer() }
        func decode(_ type: Int32.Type) throws -> Int32 { try integer() }
        func decode(_ type: Int64.Type) throws -> Int64 { try integer() }
        func decode(_ type: UInt.Type) throws -> UInt { try integer() }
        func decode(_ type: UInt8.Type) throws -> UInt8 { try integer() }
        func decode(_ type: UInt16.Type) throws -> UInt16 { try integer() }
        func decode(_ type: UInt32.Type) throws -> UInt32 { try integer() }
        func decode(_ type: UInt64.Type) throws -> UInt64 { try integer() }
        func decode<T: Decodable>(_ type: T.Type) throws -> T {
            try ValueDecoding.decode(type, from: decoding.value, within: decoding.trail)
        }

        private func integer<N: FixedWidthInteger>() throws -> N {
            switch decoding.value {
            case .integer(let number):
                if let exact = N(exactly: number) { return exact }
            case .number(let number):
                if let exact = N(exactly: number) { return exact }
            default: break
            }
            throw decoding.mismatch(N.self, "a whole number")
        }
    }
}
