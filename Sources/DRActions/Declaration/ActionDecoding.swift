internal import DRSupport
internal import DRModel

/// Fills an action from the table a runbook passed: unknown, missing and mistyped fields are errors that name the verb, the field and the nearest name.
struct ActionDecoding: Decoder {
    let codingPath: [any CodingKey]
    private let call: Call
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// One for the decoders of all fields.
    private final class Call {
        let verb: String
        let parameters: [NamedParameter]
        let input: [String: Value]
        let surroundings: ParameterSurroundings
        /// What the fields have become.
        var filled: [String: Value] = [:]

        init(_ verb: String, _ parameters: [NamedParameter], _ input: [String: Value], _ surroundings: ParameterSurroundings) {
            self.verb = verb
            self.parameters = parameters
            self.input = input
            self.surroundings = surroundings
        }
    }

    private init(_ call: Call, _ codingPath: [any CodingKey]) {
        self.call = call
        self.codingPath = codingPath
    }

    /// With the fields as they stand in the journal: complete, defaults filled in. `parameters`: those of the type.
    static func decode<Action: Declared>(
        _ type: Action.Type, _ parameters: [NamedParameter], from input: Value, in surroundings: ParameterSurroundings
    ) throws -> (action: Action, input: Value) {
        let spec = type.spec
        let members: [String: Value]
        switch input {
        case .map(let map): members = map
        case .list(let items) where items.isEmpty: members = [:]
        case .null where parameters.allSatisfy({ !$0.declaration.isRequired }): members = [:]
        default:
            throw DRError(.invalidInput, "expected one table of fields, got \(input.kind)", hint: usage(spec.name, parameters)).inVerb(
                spec.name)
        }
        let unknown = members.keys.filter { key in !parameters.contains { $0.name == key } }.min()
        if let unknown {
            // Every verb takes a deadline; whoever is here has misspelt it.
            let names = parameters.map(\.name) + ["deadline"]
            throw DRError(
                .invalidInput, "unknown field \"\(unknown)\"\(Spelling.hint(for: unknown, in: names))",
                hint: "fields: " + names.joined(separator: ", ")
            ).inVerb(spec.name)
        }
        let given = members.values.contains(where: \.isNull) ? members.filter { !$0.value.isNull } : members
        let call = Call(spec.name, parameters, given, surroundings)
        let action = try Action(from: ActionDecoding(call, []))
        return (action, .map(call.filled))
    }

    private static func usage(_ verb: String, _ parameters: [NamedParameter]) -> String {
        "dr.\(verb){ " + parameters.map { $0.name + ($0.declaration.isRequired ? "" : "?") }.joined(separator: ", ") + " }"
    }

    func parameter<Wrapped: ParameterType>(_ name: String, as type: Wrapped.Type) throws -> Wrapped {
        let surroundings = call.surroundings, verb = call.verb
        guard let declaration = call.parameters.first(where: { $0.name == name })?.declaration else {
            throw DRError(.internal, "\(verb) has no parameter \(name)")
        }
        let value = call.input[name] ?? declaration.defaultValue
        guard let value else {
            if type.isOptional { return fill(name, try Wrapped(parameter: .null, in: surroundings)) }
            throw DRError(.invalidInput, "field \"\(name)\" is missing: expected \(type.expectation)").inVerb(verb)
        }
        do {
            return fill(name, try Wrapped(parameter: value, in: surroundings))
        } catch let error as DRError {
            throw DRError(error.code, "field \"\(name)\": \(error.message)", hint: error.hint).inVerb(verb)
        }
    }

    private func fill<Wrapped: ParameterType>(_ name: String, _ value: Wrapped) -> Wrapped {
        let shown = value.parameterValue
        if !shown.isNull { call.filled[name] = shown }
        return value
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Fields<Key>(decoding: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw DRError(.internal, "an action is decoded by its fields") }
    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        throw DRError(.internal, "an action is decoded by its fields")
    }

    private func at(_ key: any CodingKey) -> ActionDecoding {
        ActionDecoding(call, codingPath + [key])
    }

    struct Fields<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let decoding: ActionDecoding
        var codingPath: [any CodingKey] { decoding.codingPath }
        var allKeys: [Key] { [] }

        func contains(_ key: Key) -> Bool { true }
        func decodeNil(forKey key: Key) throws -> Bool { false }
        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try T(from: decoding.at(key)) }
        func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
            try decoding.at(key).container(keyedBy: type)
        }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try decoding.unkeyedContainer() }
        func superDecoder() throws -> any Decoder { decoding }
        func superDecoder(forKey key: Key) throws -> any Decoder { decoding.at(key) }
    }
}
