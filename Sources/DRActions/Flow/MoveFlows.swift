internal import DRModel
internal import DRSupport

struct Failover: DRFlow {
    static let spec = ActionSpec(
        "failover",
        summary: "Applications go live at the destination: stop at the source, one last sync, start in order. Planned loses nothing.",
        effect: .changes, example: #"local f = dr.failover { pair = "east-west", applications = "all", mode = "planned" }"#,
        estimates: ["rto", "skew"])

    @Parameter("The pair, by name or handle.") var pair: PairReference
    @Parameter("The applications to move.") var applications: ApplicationSet
    @Parameter("planned stops and syncs the source first; disaster touches nothing of it.") var mode: MoveMode
    @Parameter("\"latest\", the id of a point, or { at_or_before = TIME, max_skew = DURATION }.") var recovery_point: PointChoice?
    @Parameter("Disaster: what shows that the source is down, and how it was cut off.") var source_down: SourceDown?
    @Parameter("Disaster: data up to this age may be lost though the RPO target is smaller.") var accept_data_loss: Duration?
    @Parameter("A point that is not one instant may be made live.", default: false) var accept_fuzzy: Bool
    @Parameter("Another order for this run: for each application those before it.") var after: [String: [String]]?
    @Parameter("How long each stage may take: stop, copy, start. Reaching one puts the run down and undoes nothing.") var deadlines:
        StageDeadlines?
    @Parameter("Functions called for each application: stopping, stopped, starting, ready.") var on: Hooks?

    static let body = #"""
        local dr, host, lib = ...
        return function(call, arguments)
          call.verb, call.reversed = "failover", false
          lib.require_word(call)
          return lib.move(call, arguments.on)
        end
        """#
}

struct Failback: DRFlow {
    static let spec = ActionSpec(
        "failback",
        summary: "Applications go home again over the reversed pair: planned, or as a disaster when the cluster where they live is lost.",
        effect: .changes,
        example: #"dr.failback { pair = "east-west", applications = "all" }"#, estimates: ["rto", "skew"])

    @Parameter("The original pair; it must be both_ways.") var pair: PairReference
    @Parameter("The applications to bring home.") var applications: ApplicationSet
    @Parameter("planned stops and syncs where they live; disaster touches nothing there.", default: .planned) var mode: MoveMode
    @Parameter("Disaster: \"latest\", the id of a point, or { at_or_before = TIME, max_skew = DURATION }.") var recovery_point: PointChoice?
    @Parameter("Disaster: what shows that the cluster where they live is down, and how it was cut off.") var source_down: SourceDown?
    @Parameter("Disaster: data up to this age may be lost though the RPO target is smaller.") var accept_data_loss: Duration?
    @Parameter("A point that is not one instant may be made live.", default: false) var accept_fuzzy: Bool
    @Parameter("Another order for this run: for each application those before it.") var after: [String: [String]]?
    @Parameter("How long each stage may take: stop, copy, start. Reaching one puts the run down and undoes nothing.") var deadlines:
        StageDeadlines?
    @Parameter("Functions called for each application: stopping, stopped, starting, ready.") var on: Hooks?

    static let body = #"""
        local dr, host, lib = ...
        return function(call, arguments)
          call.verb, call.reversed, call.presync = "failback", true, true
          lib.require_word(call)
          if call.mode == "planned" and call.recovery_point then
            host.raise("invalid-input", 'failback: "recovery_point" goes with mode = "disaster"; a planned one makes live what its last sync brought')
          end
          return lib.move(call, arguments.on)
        end
        """#
}

struct Quiesce: DRFlow {
    static let spec = ActionSpec(
        "quiesce", summary: "Stops applications at the source in reverse of their order.", effect: .changes,
        example: #"dr.quiesce { pair = "east-west", applications = "all" }"#)

    @Parameter("The pair, by name or handle.") var pair: PairReference
    @Parameter("The applications to stop.") var applications: ApplicationSet
    @Parameter("How long each stage may take: here stop. Reaching one puts the run down and undoes nothing.") var deadlines: StageDeadlines?
    @Parameter("Functions called for each application: stopping, stopped.") var on: Hooks?

    static let body = #"""
        local dr, host, lib = ...
        return function(call, arguments)
          call.reversed = false
          local stopped = {}
          lib.stop_all(call, arguments.on, host.waves(call.applications), stopped)
          local names = {}
          for i, item in ipairs(stopped) do names[i] = item.name end
          return { stopped = names }
        end
        """#
}

struct Activate: DRFlow {
    static let spec = ActionSpec(
        "activate", summary: "Raises epochs and starts applications at the destination in order, each wave when the one before is ready.",
        effect: .changes,
        example: #"dr.activate { pair = "east-west", applications = "all", recovery_point = "latest", mode = "planned" }"#,
        estimates: ["rto", "skew"])

    @Parameter("The pair, by name or handle.") var pair: PairReference
    @Parameter("The applications to start.") var applications: ApplicationSet
    @Parameter("\"latest\", the id of a point, or { at_or_before = TIME, max_skew = DURATION }.") var recovery_point: PointChoice
    @Parameter("planned or disaster.") var mode: MoveMode
    @Parameter("Data up to this age may be lost though the RPO target is smaller.") var accept_data_loss: Duration?
    @Parameter("A point that is not one instant may be made live.", default: false) var accept_fuzzy: Bool
    @Parameter("How long each stage may take: here start. Reaching one puts the run down and undoes nothing.") var deadlines:
        StageDeadlines?
    @Parameter("Functions called for each application: starting, ready.") var on: Hooks?

    static let body = #"""
        local dr, host, lib = ...
        return function(call, arguments)
          call.verb, call.reversed = "activate", false
          return lib.activate_only(call, arguments.on)
        end
        """#
}

/// Which recovery point: `"latest"`, an id, or the newest at or before a time.
struct PointChoice: ParameterType {
    let choice: Value
    static var expectation: String { "\"latest\", the id of a recovery point, or { at_or_before = TIME, max_skew = DURATION }" }
    static var luaType: String { "string|{ at_or_before: string|DRTime, max_skew?: string|DRDuration }" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        switch value {
        case .string(let text):
            // No id is a slip away from it: they end in numbers.
            if text != "latest", Spelling.nearest(to: text, in: ["latest"]) != nil, !text.contains(where: \.isNumber) {
                throw DRError(.invalidInput, "expected \(Self.expectation), got \"\(text)\" (did you mean \"latest\"?)")
            }
            choice = .string(text == "latest" ? text : try PointID(text).text)
        case .map:
            let members = try Self.members(of: value, ["at_or_before", "max_skew"])
            guard let limit = members["at_or_before"] else { throw Self.mismatch(value) }
            var checked = ["at_or_before": try TimeReference.member("at_or_before", limit, in: surroundings).parameterValue]
            if let skew = members["max_skew"] {
                checked["max_skew"] = try Duration.member("max_skew", skew, in: surroundings).parameterValue
            }
            choice = .map(checked)
        default: throw Self.mismatch(value)
        }
    }

    var parameterValue: Value { choice }
}

/// A person's word that the source is down: what shows it, and how it was cut off.
struct SourceDown: ParameterType {
    enum Fence: String, ParameterChoice { case power, storage, network, none }
    let evidence: String
    let fenced: Fence
    /// When the outage began; nil where nobody knows.
    let since: TimeReference?

    static var expectation: String { "{ evidence = TEXT, fenced = \"power\"|\"storage\"|\"network\"|\"none\", since = TIME? }" }
    static var luaType: String { "{ evidence: string, fenced: \(Fence.luaType), since?: \(TimeReference.luaType) }" }

    init(parameter value: Value, in surroundings: ParameterSurroundings) throws {
        let members = try Self.members(of: value, ["evidence", "fenced", "since"])
        guard let text = members["evidence"]?.string, !text.isEmpty else {
            throw DRError(.invalidInput, "evidence: expected a text that says how the loss was seen")
        }
        guard let fence = members["fenced"] else {
            throw DRError(.invalidInput, "fenced is missing: expected \(Fence.expectation)")
        }
        evidence = text
        fenced = try Fence.member("fenced", fence, in: surroundings)
        since = try members["since"].map { try TimeReference.member("since", $0, in: surroundings) }
    }

    var parameterValue: Value {
        var members: [String: Value] = ["evidence": .string(evidence), "fenced": .string(fenced.rawValue)]
        members["since"] = since?.parameterValue
        return .map(members)
    }
}
