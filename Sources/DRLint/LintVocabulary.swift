/// What the linter knows of `dr`: its functions and the fields of their tables.
public struct LintVocabulary: Sendable {
    public enum Effect: Sendable {
        case observes, changes, outside
        /// A function of the language around the verbs: `step`, `undo`, `now`.
        case flow
    }

    public struct Field: Sendable {
        public let name: String
        public let isRequired: Bool
        /// A closed list of texts; empty when there is none.
        public let choices: [String]

        public init(name: String, isRequired: Bool = false, choices: [String] = []) {
            self.name = name
            self.isRequired = isRequired
            self.choices = choices
        }
    }

    public struct Function: Sendable {
        public let name: String
        public let effect: Effect
        /// Which argument is the table with the fields, from 0; nil when none is.
        public let table: Int?
        public let fields: [Field]

        public init(name: String, effect: Effect, table: Int?, fields: [Field]) {
            self.name = name
            self.effect = effect
            self.table = table
            self.fields = fields
        }
    }

    public let functions: [String: Function]

    public init(_ functions: [Function]) {
        self.functions = Dictionary(functions.map { ($0.name, $0) }) { first, _ in first }
    }

    func effect(of name: String) -> Effect? { functions[name]?.effect }

    /// Does it change or ask anything outside of the script?
    func isVerb(_ name: String) -> Bool { effect(of: name).map { $0 != .flow } ?? false }

    /// What plain Lua has in a runbook.
    static let globals: Set<String> = [
        "string", "table", "math", "utf8", "coroutine", "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "print",
        "rawequal",
        "rawget", "rawlen", "rawset", "require", "select", "setmetatable", "tonumber", "tostring", "type", "xpcall", "_G", "_VERSION", "dr",
    ]
}
