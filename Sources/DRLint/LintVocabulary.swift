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

        public init(name: String, isRequired: Bool = false) {
            self.name = name
            self.isRequired = isRequired
        }
    }

    /// Why a call would be refused for what stands in it.
    public struct Refusal: Sendable {
        /// Nil: it is not one field alone.
        public let field: String?
        public let message: String
        public let hint: String?

        public init(field: String?, message: String, hint: String?) {
            self.field = field
            self.message = message
            self.hint = hint
        }
    }

    /// What is wrong with the values, by field or argument, that stand written out in a call. `isWhole`: nothing else stands in it, and nothing is missing.
    public typealias Judge = @Sendable (_ function: String, _ values: [String: LintConstant], _ isWhole: Bool) -> [Refusal]

    public struct Function: Sendable {
        public let name: String
        public let effect: Effect
        /// Which argument is the table with the fields, from 0; nil when none is.
        public let table: Int?
        public let fields: [Field]
        /// Names of its arguments where none is such a table.
        public let arguments: [String]

        public init(name: String, effect: Effect, table: Int?, fields: [Field], arguments: [String] = []) {
            self.name = name
            self.effect = effect
            self.table = table
            self.fields = fields
            self.arguments = arguments
        }
    }

    public let functions: [String: Function]
    let judge: Judge

    public init(_ functions: [Function], judge: @escaping Judge = { _, _, _ in [] }) {
        self.functions = Dictionary(functions.map { ($0.name, $0) }) { first, _ in first }
        self.judge = judge
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
