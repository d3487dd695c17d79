internal import DRSupport
public import DRModel

/// A pair, by its name or by what `dr.pair` returned.
public struct PairReference: ParameterType, Hashable {
    public let name: PairName

    public static var expectation: String { "a pair, by name or handle" }
    public static var luaType: String { "string|DRPair" }

    public init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let text = value.string ?? value["name"].string else { throw Self.mismatch(value) }
        let names = surroundings.inventory.pairs.map(\.name.text)
        guard names.contains(text), let name = try? PairName(text) else {
            throw DRError(.unknownName, "there is no pair \"\(text)\"\(Spelling.hint(for: text, in: names))", hint: known("pairs", names))
        }
        self.name = name
    }

    public var parameterValue: Value { .string(name.text) }
}

/// Applications, by name or "all". Never empty, each once, in the order of their names.
public struct ApplicationSet: ParameterType, Hashable {
    public let names: [ApplicationName]

    public static var expectation: String { "a list of application names, or \"all\"" }
    public static var luaType: String { "\"all\"|string[]" }

    public init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        if value.string == "all" {
            let known = surroundings.inventory.applications.map(\.name).sorted()
            guard !known.isEmpty else { throw DRError(.invalidInput, "\"all\" matches nothing: dr.yaml declares no application") }
            names = known
            return
        }
        guard let items = value.list else {
            throw value.map?.isEmpty == true
                ? DRError(.invalidInput, "the list is empty: expected \(Self.expectation)") : Self.mismatch(value)
        }
        names = try Set(items.map { try ApplicationSet.name($0, in: surroundings.inventory) }).sorted()
    }

    public var parameterValue: Value { .list(names.map { .string($0.text) }) }

    static func name(_ value: Value, in inventory: Inventory) throws -> ApplicationName {
        guard let text = value.string else { throw mismatch(value) }
        guard let name = inventory.application(named: text)?.name else {
            let names = inventory.applications.map(\.name.text).sorted()
            throw DRError(
                .unknownName, "there is no application \"\(text)\"\(Spelling.hint(for: text, in: names))",
                hint: DRActions.known("applications", names))
        }
        return name
    }
}

/// One application by name.
public struct ApplicationReference: ParameterType, Hashable {
    public let name: ApplicationName

    public static var expectation: String { "the name of an application" }
    public static var luaType: String { "string" }

    public init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        name = try ApplicationSet.name(value, in: surroundings.inventory)
    }

    public var parameterValue: Value { .string(name.text) }
}

extension Name: ParameterType {
    public static var expectation: String { "a name" }
    public static var luaType: String { "string" }
    public init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let text = value.string else { throw Self.mismatch(value) }
        try self.init(text)
    }
    public var parameterValue: Value { .string(text) }
}

/// Functions of the runbook that a flow calls at named moments; they stay in Lua, only their names are checked here.
public struct Hooks: ParameterType, Hashable {
    public let names: [String]
    static let known: [String] = ["ready", "starting", "stopped", "stopping"]

    public static var expectation: String { "a table of functions: stopping, stopped, starting, ready" }
    public static var luaType: String { "DRHooks" }

    public init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let members = value.map else { throw Self.mismatch(value) }
        for (name, member) in members.sorted(by: { $0.key < $1.key }) {
            guard Self.known.contains(name) else {
                throw DRError(.invalidInput, "there is no hook \"\(name)\"\(Spelling.hint(for: name, in: Self.known))")
            }
            guard member.isFunction else { throw DRError(.invalidInput, "hook \"\(name)\": expected a function, got \(member.kind)") }
        }
        names = members.keys.sorted()
    }

    public var parameterValue: Value { .list(names.map(Value.string)) }
}

extension Value {
    /// How a function of the runbook's stands among a verb's arguments: present, but never carried away.
    package static let function: Value = ["$function": true]
    var isFunction: Bool { self == .function }
}

private func known(_ what: String, _ names: [String]) -> String {
    names.isEmpty ? "dr.yaml declares no \(what)" : "known \(what): " + names.sorted().joined(separator: ", ")
}
