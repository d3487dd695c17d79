extension Value {
    /// Any Encodable as a value: properties become members, nil members are left out, instants and durations stay what they are.
    public init(encoding encodable: some Encodable) throws { self = try ValueEncoding.encode(encodable, within: nil) }
}

final class ValueEncoding: Encoder {
    private let trail: CodingTrail?
    private var content = Content.nothing
    var codingPath: [any CodingKey] { trail.path }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// Members and items are held as what they are: a value that was taken apart and put together for each of them would cost much more.
    private enum Content {
        case nothing
        case value(Value)
        case members([String: Value])
        case items([Value])
    }

    var value: Value? {
        get {
            switch content {
            case .nothing: nil
            case .value(let value): value
            case .members(let members): .map(members)
            case .items(let items): .list(items)
            }
        }
        set { content = newValue.map(Content.value) ?? .nothing }
    }

    init(_ trail: CodingTrail?) { self.trail = trail }

    // Types are compared before anything is cast: a cast costs more than the rest of it.
    static func encode<T: Encodable>(_ encodable: T, within trail: @autoclosure () -> CodingTrail?) throws -> Value {
        if T.self == String.self, let text = encodable as? String { return .string(text) }
        if T.self == Value.self, let value = encodable as? Value { return value }
        if T.self == Instant.self, let instant = encodable as? Instant { return .instant(instant) }
        if T.self == Duration.self, let duration = encodable as? Duration { return .duration(duration) }
        if T.self == CheckResult.self, let result = encodable as? CheckResult { return result.value }
        if T.self == RecoveryPoint.self, let point = encodable as? RecoveryPoint { return point.value }
        let encoding = ValueEncoding(trail())
        try encodable.encode(to: encoding)
        return encoding.value ?? .map([:])
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        // Nearly all have four members or more: one table, and not three that outgrow each other.
        if case .members = content {} else { content = .members(value?.map ?? Dictionary(minimumCapacity: 4)) }
        return KeyedEncodingContainer(Keyed<Key>(encoding: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .items = content {} else { content = .items(value?.list ?? []) }
        return Unkeyed(encoding: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoding: self) }

    private func set(_ member: Value, for key: some CodingKey) {
        guard case .members(var members) = content else { return }
        // Else the whole map would be copied for each member.
        content = .nothing
        members[key.stringValue] = member
        content = .members(members)
    }

    private func append(_ item: Value) {
        guard case .items(var items) = content else { return }
        content = .nothing
        items.append(item)
        content = .items(items)
    }

    private var count: Int { if case .items(let items) = content { items.count } else { 0 } }

    struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let encoding: ValueEncoding
        var codingPath: [any CodingKey] { encoding.codingPath }

        func encodeNil(forKey key: Key) throws { encoding.set(.null, for: key) }
        func encode(_ value: Bool, forKey key: Key) throws { encoding.set(.bool(value), for: key) }
        func encode(_ value: String, forKey key: Key) throws { encoding.set(.string(value), for: key) }
        func encode(_ value: Double, forKey key: Key) throws { encoding.set(.number(value), for: key) }
        func encode(_ value: Int, forKey key: Key) throws { encoding.set(.integer(Int64(value)), for: key) }
        func encode(_ value: Int64, forKey key: Key) throws { encoding.set(.integer(value), for: key) }

        func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
            encoding.set(try ValueEncoding.encode(value, within: CodingTrail(key, within: encoding.trail)), for: key)
        }

        func nestedContainer<Nested: CodingKey>(keyedBy keyType: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
            KeyedEncodingContainer(Unsupported<Nested>(codingPath: codingPath + [key]))
        }

        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { Unkeyed(encoding: encoding) }
        func superEncoder() -> any Encoder { encoding }
        func superEncoder(forKey key: Key) -> any Encoder { encoding }
    }

    // Hand-written nested containers occur in no type that is encoded here; they are refused instead of being written wrongly.
    struct Unsupported<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let codingPath: [any CodingKey]
        private var refusal: EncodingError {
            .invalidValue("nested container", .init(codingPath: codingPath, debugDescription: "nested containers are not supported"))
        }
        func encodeNil(forKey key: Key) throws { throw refusal }
        func encode<T: Encodable>(_ value: T, forKey key: Key) throws { throw refusal }
        func nestedContainer<Nested: CodingKey>(keyedBy keyType: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
            KeyedEncodingContainer(Unsupported<Nested>(codingPath: codingPath + [key]))
        }
        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            Unkeyed(encoding: ValueEncoding(CodingTrail(key, within: nil)))
        }
        func superEncoder() -> any Encoder { ValueEncoding(nil) }
        func superEncoder(forKey key: Key) -> any Encoder { ValueEncoding(nil) }
    }

    struct Unkeyed: UnkeyedEncodingContainer {
        let encoding: ValueEncoding
        var codingPath: [any CodingKey] { encoding.codingPath }
        var count: Int { encoding.count }

        func encodeNil() throws { encoding.append(.null) }
        func encode(_ value: Bool) throws { encoding.append(.bool(value)) }
        func encode(_ value: String) throws { encoding.append(.string(value)) }
        func encode(_ value: Int64) throws { encoding.append(.integer(value)) }
        func encode<T: Encodable>(_ value: T) throws { encoding.append(try ValueEncoding.encode(value, within: encoding.trail)) }
        func nestedContainer<Nested: CodingKey>(keyedBy keyType: Nested.Type) -> KeyedEncodingContainer<Nested> {
            KeyedEncodingContainer(Unsupported<Nested>(codingPath: codingPath))
        }
        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { self }
        func superEncoder() -> any Encoder { encoding }
    }

    struct Single: SingleValueEncodingContainer {
        let encoding: ValueEncoding
        var codingPath: [any CodingKey] { encoding.codingPath }

        func encodeNil() throws { encoding.value = .null }
        func encode(_ value: Bool) throws { encoding.value = .bool(value) }
        func encode(_ value: String) throws { encoding.value = .string(value) }
        func encode(_ value: Double) throws { encoding.value = .number(value) }
        func encode(_ value: Float) throws { encoding.value = .number(Double(value)) }
        func encode(_ value: Int) throws { encoding.value = .integer(Int64(value)) }
        func encode(_ value: Int64) throws { encoding.value = .integer(value) }
        func encode<T: Encodable>(_ value: T) throws {
            if let number = value as? any BinaryInteger {
                guard let exact = Int64(exactly: number) else {
                    throw EncodingError.invalidValue(
                        value, .init(codingPath: codingPath, debugDescription: "the number does not fit 64 bits"))
                }
                encoding.value = .integer(exact)
            } else {
                encoding.value = try ValueEncoding.encode(value, within: encoding.trail)
            }
        }
    }
}

/// The way to a value that is encoded or decoded, from its end: written out only where an error names it.
final class CodingTrail {
    private let key: any CodingKey
    private let outer: CodingTrail?

    init(_ key: any CodingKey, within outer: CodingTrail?) {
        self.key = key
        self.outer = outer
    }

    fileprivate var path: [any CodingKey] {
        var keys: [any CodingKey] = []
        var trail: CodingTrail? = self
        while let step = trail {
            keys.append(step.key)
            trail = step.outer
        }
        return keys.reversed()
    }
}

extension CodingTrail? {
    var path: [any CodingKey] { self?.path ?? [] }
}
