internal import DRModel

// Types of the fields that exec, http and notify share.

/// Any data; no secrets, no functions.
struct PlainValue: ParameterType, Hashable {
    let value: Value
    static var expectation: String { "data: text, numbers, lists, tables" }
    static var luaType: String { "any" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard !value.holdsHandles else { throw Self.mismatch(value.secret == nil && !value.isFunction ? value.firstHandle : value) }
        self.value = value
    }

    var parameterValue: Value { value }
}

extension Value {
    fileprivate var firstHandle: Value {
        if secret != nil || isFunction { return self }
        let members = list ?? map.map { Array($0.values) } ?? []
        return members.first(where: \.holdsHandles)?.firstHandle ?? self
    }
}

/// A function of the runbook's that the prelude calls; only its presence is checked and recorded here.
struct Callback: ParameterType, Hashable {
    static var expectation: String { "a function" }
    static var luaType: String { "fun(): any" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard value.isFunction else { throw Self.mismatch(value) }
    }

    var parameterValue: Value { .function }
}

/// What a call does in a drill.
struct DrillChoice: ParameterType, Hashable {
    let answer: DrillAnswer
    static var expectation: String { "\"skip\", \"run\" or an answer as a table" }
    static var luaType: String { "\"skip\"|\"run\"|table" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        switch value {
        case .string("skip"): answer = .skip
        case .string("run"): answer = .run
        case .map where !value.holdsHandles: answer = .answer(value)
        default: throw Self.mismatch(value)
        }
    }

    var parameterValue: Value {
        switch answer {
        case .unsaid: .null
        case .skip: "skip"
        case .run: "run"
        case .answer(let value): value
        }
    }
}

extension StandIn {
    init(_ inPlan: PlainValue?, _ inDrill: DrillChoice?) { self.init(inPlan: inPlan?.value, inDrill: inDrill?.answer ?? .unsaid) }
}

extension AnswerOrigin {
    /// How it stands in the runbook's result: nothing where the world answered.
    var mark: [String: Value] {
        switch self {
        case .performed: [:]
        case .predicted: ["predicted": true]
        case .skipped: ["skipped": true]
        }
    }
}
