internal import DRModel
internal import DRSimulation

/// The reference of `dr.test`, from the same list as its functions: for `explain` and editors.
public enum TestReference {
    /// `sim:load`, `t.outcome` ...
    public static var names: [String] { TestFunction.all.map(\.call) }

    /// What `sim:run` returns is asked for.
    static let runFields = ["id", "outcome", "error", "rto", "applications", "effects", "undos", "log", "gates"]

    /// One line each.
    public static func overview() -> String {
        let width = names.map(\.count).max() ?? 0
        func lines(_ owner: TestFunction.Owner) -> String {
            TestFunction.all.filter { $0.owner == owner }.map { function in
                "  \(function.call)\(String(repeating: " ", count: width - function.call.count + 2))\(function.summary)\n"
            }.joined()
        }
        return "The world of a case (docs/testing-runbooks.md)\n\(lines(.sim))\nWhat must hold\n\(lines(.t))"
    }

    /// Of `t.outcome`, `sim:fault` or `sim.fault`. Nil when there is none.
    public static func text(for name: String) -> String? {
        guard let function = TestFunction.all.first(where: { $0.call == name.replacing("sim.", with: "sim:") }) else { return nil }
        return "\(function.call)(\(function.arguments.joined(separator: ", ")))\n\n\(function.summary)\n\nExample\n  \(function.example)\n"
    }

    /// Definitions for the Lua language server, of the module `dr.test`.
    public static func luaStubs() -> String {
        func list(_ words: [String]) -> String { words.map { "\"\($0)\"" }.joined(separator: "|") }
        return """
            ---@meta dr.test
            -- Generated from the declarations by `make record`; do not edit.

            ---@alias DRFaultKind \(list(Fault.Kind.allCases.map(\.rawValue)))
            ---@alias DROutcome \(list(RunOutcome.allCases.map(\.rawValue) + ["interrupted"]))

            ---@class DRRun
            ---@field id string
            ---@field outcome DROutcome
            ---@field error? { code: string, message: string }
            ---@field rto? DRDuration
            ---@field applications table<string, { active_at?: string, state: string, rto?: DRDuration, next?: string }>
            ---@field effects string[]
            ---@field undos { name: string, state: string }[]
            ---@field log string[]
            ---@field gates string[]

            ---@class DRSim
            local sim = {}
            \(TestFunction.all.filter { $0.owner == .sim }.map(\.stub).joined())
            ---@class DRTest
            local t = {}
            \(TestFunction.all.filter { $0.owner == .t }.map(\.stub).joined())
            return t

            """
    }
}

extension TestFunction {
    /// As a test writes it.
    fileprivate var call: String { owner == .sim ? "sim:\(name)" : "t.\(name)" }

    /// With a `?` where it may be left out.
    fileprivate var arguments: [String] { parameters.map { String($0.prefix { $0 != ":" }) } }

    fileprivate var stub: String {
        let typed = parameters.map { parameter in
            let (argument, type) = (parameter.prefix { $0 != ":" }, parameter.drop { $0 != ":" }.dropFirst(2))
            return "---@param \(argument) \(type)\n"
        }.joined()
        let arguments = arguments.map { $0.last == "?" ? String($0.dropLast()) : $0 }.joined(separator: ", ")
        return
            "\n---\(summary)\n---```lua\n---\(example)\n---```\n\(typed)\(result.map { "---@return \($0)\n" } ?? "")function \(call)(\(arguments)) end\n"
    }
}
