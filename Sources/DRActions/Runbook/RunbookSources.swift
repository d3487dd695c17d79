internal import DRSupport
internal import DRModel

/// A runbook's text and that of the modules it may require: all that a run executes, so all that a resume needs.
public struct RunbookSources: Sendable {
    public struct Module: Sendable, Hashable {
        /// As messages name it: `runbooks/lib/dns.lua`.
        public let file: String
        public let text: String

        public init(file: String, text: String) {
            self.file = file
            self.text = text
        }
    }

    public let main: Module
    /// By the name `require` takes: `lib.dns`.
    public let modules: [String: Module]
    /// Names of further files that `require` would take, for whoever misspells one. No run needs them.
    public let others: [String]

    public init(main: Module, modules: [String: Module] = [:], others: [String] = []) {
        self.main = main
        self.modules = modules
        self.others = others
    }

    /// What `require` takes.
    public var names: [String] { Set(modules.keys).union(others).sorted() }

    /// The module of a name as Lua gives it, `lib.dns` or `lib/dns`. Throws `runbook` with the nearest name.
    ///
    /// `library`: what the host gives beside them.
    package func module(named name: String, library: String = "dr") throws -> Module {
        let name = name.replacing("/", with: ".")
        if let module = modules[name] { return module }
        let known = (names + [library]).filter { $0 != name }
        throw DRError(
            .runbook, "there is no module \"\(name)\"\(Spelling.hint(for: name, in: known))",
            hint: "there are: \(known.joined(separator: ", "))")
    }
}
