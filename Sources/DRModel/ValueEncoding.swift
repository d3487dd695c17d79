extension Value {
    /// Any Encodable as a value: properties become members, nil members are left out, instants and durations stay what they are.
    public init(encoding encodable: some Encodable) throws { self = try ValueEncoding.encode(encodable, path: []) }
}

final class ValueEncoding: Encoder {
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]
    var value: Value?

    init(path: [any CodingKey]) { codingPath = path }

    static func encode(_ encodable: some Encodable, path: [any CodingKey]) throws -> Value {
        switch encodable {
        case let value as Value: return value
        case let instant as Instant: return .instant(instant)
        case let duration as Duration: return .duration(duration)
        default:
            let encoding = ValueEncoding(path: path)
            try encodable.encode(to: encoding)
            return encoding.value ?? .map([:])
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if value?.map == nil { value = .map([:]) }
        return KeyedEncodingContainer(Keyed<Key>(encoding: self, codingPath: codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if value?.list == nil { value = .list([]) }
        return Unkeyed(encoding: self, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(encoding: self, codingPath: codingPath) }

    func set(_ member: Value, for key: String) {
        guard case .map(var members)? = value else { return }
        // Else the whole map would be copied for each member.
        value = nil
        members[key] = member
        value = .map(members)
    }

    func append(_ item: Value) {
        guard case .list(var items)? = value else { return }
        value = nil
        items.append(item)
        value = .list(items)
    }

    struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let encoding: ValueEncoding
        let codingPath: [any CodingKey]

        func encodeNil(forKey key: Key) throws { encoding.set(.null, for: key.stringValue) }

        func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
            encoding.set(try ValueEncoding.encode(value, path: codingPath + [key]), for: key.stringValue)
        }

        func nestedContainer<Nested: CodingKey>(keyedBy keyType: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
            KeyedEncodingContainer(Unsupported<Nested>(codingPath: codingPath + [key]))
        }

        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { Unkeyed(encoding: encoding, codingPath: codingPath) }
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
            Unkeyed(encoding: ValueEncoding(path: codingPath), codingPath: codingPath)
        }
        func superEncoder() -> any Encoder { ValueEncoding(path: codingPath) }
        func superEncoder(forKey key: Key) -> any Encoder { ValueEncoding(path: codingPath) }
    }

    struct Unkeyed: UnkeyedEncodingContainer {
        let encoding: ValueEncoding
        let codingPath: [any CodingKey]
        var count: Int { encoding.value?.list?.count ?? 0 }

        func encodeNil() throws { encoding.append(.null) }
        func encode<T: Encodable>(_ value: T) throws { encoding.append(try ValueEncoding.encode(value, path: codingPath)) }
        func nestedContainer<Nested: CodingKey>(keyedBy keyType: Nested.Type) -> KeyedEncodingContainer<Nested> {
            KeyedEncodingContainer(Unsupported<Nested>(codingPath: codingPath))
        }
        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { self }
        func superEncoder() -> any Encoder { encoding }
    }

    struct Single: SingleValueEncodingContainer {
        let encoding: ValueEncoding
        let codingPath: [any CodingKey]

        func encodeNil() throws { encoding.value = .null }
        func encode(_ value: Bool) throws { encoding.value = .bool(value) }
        func encode(_ value: String) throws { encoding.value = .string(value) }
        func encode(_ value: Double) throws { encoding.value = .number(value) }
        func encode(_ value: Float) throws { encoding.value = .number(Double(value)) }
        func encode<T: Encodable>(_ value: T) throws {
            if let number = value as? any BinaryInteger {
                guard let exact = Int64(exactly: number) else {
                    throw EncodingError.invalidValue(
                        value, .init(codingPath: codingPath, debugDescription: "the number does not fit 64 bits"))
                }
                encoding.value = .integer(exact)
            } else {
                encoding.value = try ValueEncoding.encode(value, path: codingPath)
            }
        }
    }
}
