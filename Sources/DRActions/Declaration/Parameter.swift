public import DRModel

/// One field of a verb's table: its meaning and default while it declares, its value while the verb runs.
///
/// A property of an action wears it; `Mirror` collects the declarations, the action's Decodable initializer fills the values.
@propertyWrapper public struct Parameter<Wrapped: ParameterType>: Sendable {
    private enum State: Sendable {
        case declared(ParameterDeclaration)
        case filled(Wrapped)
    }

    private let state: State

    /// A required field, or an optional one where the type is optional.
    public init(_ summary: String) {
        state = .declared(ParameterDeclaration(type: Wrapped.self, summary: summary, defaultValue: nil))
    }

    public init(_ summary: String, default value: Wrapped) {
        state = .declared(ParameterDeclaration(type: Wrapped.self, summary: summary, defaultValue: value.parameterValue))
    }

    public var wrappedValue: Wrapped {
        guard case .filled(let value) = state else {
            preconditionFailure("an action's parameter was read before the action was decoded")
        }
        return value
    }
}

extension Parameter: Decodable {
    public init(from decoder: any Decoder) throws {
        guard let decoder = decoder as? ActionDecoding, let name = decoder.codingPath.last?.stringValue else {
            throw DRError(.internal, "actions are decoded from verb calls only")
        }
        state = .filled(try decoder.parameter(name, as: Wrapped.self))
    }
}

/// What stands in the reference about a field.
public struct ParameterDeclaration: Sendable {
    public let type: any ParameterType.Type
    public let summary: String
    public let defaultValue: Value?

    /// The call must have it.
    public var isRequired: Bool { defaultValue == nil && !type.isOptional }
}

protocol DeclaredParameter {
    var declaration: ParameterDeclaration? { get }
}

extension Parameter: DeclaredParameter {
    var declaration: ParameterDeclaration? {
        if case .declared(let declaration) = state { declaration } else { nil }
    }
}
