internal import DRModel

/// What a call of a function of `dr` looks like: for programs that look at runbooks without running them.
public struct FunctionShape: Sendable, Equatable {
    public struct Field: Sendable, Equatable {
        public let name: String
        public let isRequired: Bool
    }

    public let name: String
    /// Nil: no verb, but a function of the language around them.
    public let effect: ActionEffect?
    /// Which argument is the table with the fields, from 0; nil when none is.
    public let table: Int?
    public let fields: [Field]
    /// Names of its arguments where none is such a table.
    public let arguments: [String]
}

extension Reference {
    /// Every function of `dr`, from the same declarations as the reference of people.
    public var shapes: [FunctionShape] { verbs.map(FunctionShape.init) + FlowFunction.all.map(FunctionShape.init) }
}

extension FunctionShape {
    init(_ verb: any Declared.Type) {
        let declared = verb.parameters.map { parameter in
            Field(name: parameter.name, isRequired: parameter.declaration.isRequired)
        }
        // Every verb takes a deadline.
        let deadline = declared.contains { $0.name == "deadline" } ? [] : [Field(name: "deadline", isRequired: false)]
        self.init(name: verb.spec.name, effect: verb.spec.effect, table: 0, fields: declared + deadline, arguments: [])
    }

    /// `retry({ times?, every? }, fn)`: its fields stand in the signature.
    init(_ function: FlowFunction) {
        let signature = function.signature
        guard let open = signature.firstIndex(of: "{"), let close = signature.firstIndex(of: "}"), !signature[open...].hasPrefix("{ fn")
        else {
            let arguments = signature.split(separator: "(").dropFirst().first?.prefix { $0 != ")" }.split(separator: ",") ?? []
            self.init(
                name: function.name, effect: nil, table: nil, fields: [],
                arguments: arguments.map { $0.filter { $0.isLetter || $0 == "_" } })
            return
        }
        let fields = signature[signature.index(after: open)..<close].split(separator: ",").map { word in
            let name = word.filter { $0.isLetter || $0 == "_" }
            return Field(name: name, isRequired: !word.contains("?"))
        }
        self.init(
            name: function.name, effect: nil, table: signature[..<open].count(where: { $0 == "," }), fields: fields, arguments: [])
    }
}
