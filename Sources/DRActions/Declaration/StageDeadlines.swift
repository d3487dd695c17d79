internal import DRModel
internal import DRSupport

/// How long the stages of a move may take: `{ stop = "2m", copy = "30m", start = "10m" }`. Reaching one puts the run down and undoes nothing.
struct StageDeadlines: ParameterType {
    enum Stage: String, CaseIterable {
        /// Stopping one application at the source, its hooks included.
        case stop
        /// The last sync of all of them.
        case copy
        /// One application from the choice of its point until it is ready, its hooks included.
        case start
    }

    let limits: [Stage: Duration]

    static var expectation: String { "durations for stages: { stop, copy, start }" }
    static var luaType: String {
        "{ " + Stage.allCases.map { "\($0.rawValue)?: \(Duration.luaType)" }.joined(separator: ", ") + " }"
    }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        guard let members = value.map else { throw Self.mismatch(value) }
        var limits: [Stage: Duration] = [:]
        for (name, limit) in members.sorted(by: { $0.key < $1.key }) {
            guard let stage = Stage(rawValue: name) else {
                let known = Stage.allCases.map(\.rawValue)
                throw DRError(
                    .invalidInput, "there is no stage \"\(name)\"\(Spelling.hint(for: name, in: known))",
                    hint: "stages: " + known.joined(separator: ", "))
            }
            limits[stage] = try Duration.member(name, limit, in: surroundings)
        }
        self.limits = limits
    }

    var parameterValue: Value { .map(Dictionary(uniqueKeysWithValues: limits.map { ($0.key.rawValue, .duration($0.value)) })) }
}
