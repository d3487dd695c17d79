/// A runbook's text and that of the modules it may require: all that a run executes, so all that a resume needs.
public struct RunbookSources: Sendable, Hashable {
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

    public init(main: Module, modules: [String: Module] = [:]) {
        self.main = main
        self.modules = modules
    }
}
