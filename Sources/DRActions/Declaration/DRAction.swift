public import DRModel

/// What the declaration of a verb says before its fields.
public struct ActionSpec: Sendable {
    /// As runbooks call it: `dr.NAME`.
    public let name: String
    public let summary: String
    public let effect: ActionEffect
    /// A line or a few of Lua.
    public let example: String?
    /// Runbooks do not call it themselves; flows are made of it.
    public let isInternal: Bool
    /// Fields of its answer, however deep, that a plan can only estimate: a look at one is noted with its place. `"*"` = all.
    public let estimates: [String]

    public init(
        _ name: String, summary: String, effect: ActionEffect, example: String? = nil, isInternal: Bool = false, estimates: [String] = []
    ) {
        self.estimates = estimates
        self.name = name
        self.summary = summary
        self.effect = effect
        self.example = example
        self.isInternal = isInternal
    }
}

/// Decides only what happens to a call with an intent and no outcome when a run is resumed.
public enum ActionEffect: String, Sendable, Codable {
    /// Asked again.
    case observes
    /// The engine is asked by the call's key: what happened is not done twice.
    case changes
    /// `unknown`: a person or a `verify` decides.
    case outside
}

/// What becomes of one call that was begun and whose answer was lost.
public enum Recovery: Sendable {
    /// It is made again: it only asks, or its engine knows it by its key, or the runbook says that doing it twice is doing it once.
    case again
    /// Nobody knows whether it happened: the run stops for a person, unless the call brings a `verify`.
    case unknown
    /// The run goes on with this answer; the call is not made again.
    case goesOn(with: Value)
}

/// Something that has a spec and `@Parameter` properties.
public protocol Declared: Decodable, Sendable {
    static var spec: ActionSpec { get }
    init()
}

public struct NamedParameter: Sendable {
    public let name: String
    public let declaration: ParameterDeclaration
}

extension Declared {
    /// The declared fields in the order in which they stand in the source.
    public static var parameters: [NamedParameter] {
        Mirror(reflecting: Self()).children.compactMap { child in
            guard let label = child.label, let declaration = (child.value as? any DeclaredParameter)?.declaration else { return nil }
            return NamedParameter(name: label.hasPrefix("_") ? String(label.dropFirst()) : label, declaration: declaration)
        }
    }
}

/// A primitive verb: it has effects, a key and journal records.
///
/// ```swift
/// struct Announce: DRAction {
///     static let spec = ActionSpec("announce", summary: "Tells the status page.", effect: .changes)
///     @Parameter("What to say.") var text: String
///     func perform(in context: ActionContext) async throws -> Value { ... }
/// }
/// ```
public protocol DRAction: Declared {
    associatedtype Output: Encodable & Sendable
    /// By default as its spec's effect says.
    var recovery: Recovery { get }
    /// Does it, once for `context.call.key`.
    func perform(in context: ActionContext) async throws -> Output
}

extension DRAction {
    public var recovery: Recovery { Self.spec.effect == .outside ? .unknown : .again }
}

/// A composite verb: it orders primitive ones, in Lua, and has no effect of its own, so replay, plan and undo see only primitives.
public protocol DRFlow: Declared {
    /// A Lua chunk that returns `function(call, arguments)`: `call` is the validated table with defaults, `arguments` the runbook's own (for its functions). See
    /// docs/decisions/verbs.md for what a flow may use.
    static var body: String { get }
}

/// What an action may use.
public struct ActionContext: Sendable {
    public let engine: any DREngine
    public let outside: any Outside
    public let clock: any WallClock
    public let inventory: Inventory
    public let call: EngineCall
    /// When the action was first begun; earlier than now after a resume.
    public let begun: Instant
    public let runningAs: RunningAs
    /// The run has changed something of a cluster before this action was begun.
    public let hasChanged: Bool

    public init(
        engine: any DREngine, outside: any Outside = NoOutside(), clock: any WallClock, inventory: Inventory, call: EngineCall,
        begun: Instant, runningAs: RunningAs = .live, hasChanged: Bool = false
    ) {
        self.engine = engine
        self.outside = outside
        self.runningAs = runningAs
        self.hasChanged = hasChanged
        self.clock = clock
        self.inventory = inventory
        self.call = call
        self.begun = begun
    }

    /// The surroundings of a call outside the clusters.
    public var outsideCall: OutsideCall {
        OutsideCall(key: call.key, run: call.holder.run, runningAs: runningAs, effects: call.effects, hasChanged: hasChanged)
    }
}
