package import DRModel
package import LuaBridge

extension DRError {
    /// What ended a script, as an error of ours: the engine's own where it was one, else the table or text the script raised.
    package init(script error: LuaError) {
        let location = SourceLocation(error.location)
        if let known = error.underlying as? DRError {
            self = known.at(location)
            return
        }
        switch error.kind {
        case .memory, .limit:
            self.init(
                .limitExceeded, "limit-exceeded: \(error.message)", hint: "raise `limits` in dr.yaml if the runbook needs it",
                location: location)
        case .cancelled, .stopped: self.init(.stopped, error.message, location: location)
        case .syntax: self.init(.runbook, error.message, location: location)
        case .runtime, .handler, .closed:
            guard let table = error.value?.table, let text = (try? table.get("code"))?.string, let code = ErrorCode(rawValue: text) else {
                self.init(.script, error.message.shortened, location: location)
                return
            }
            let message = (try? table.get("message"))?.string ?? error.message
            self.init(
                code, message.shortened, hint: (try? table.get("hint"))?.string, location: location, verb: (try? table.get("verb"))?.string)
        }
    }
}

extension RunSession {
    /// What ended the runbook, or nil when it returned. Throws what must not be recorded as the run's own failure: a journal that cannot be written, a
    /// history that does not fit.
    func failure() throws -> DRError? {
        if let cancellation = ending?.cancellation { return cancellation }
        guard case .raised(let error)? = end else { return abandonment }
        if error.kind == .stopped, let cause = error.underlying as? DRError { throw cause }
        return DRError(script: error)
    }

    // A coroutine that is never resumed leaves a move half done, and nobody would hear of it.
    private var abandonment: DRError? {
        guard let flow = openFlows.first else { return nil }
        return DRError(
            .runbook, "\(flow) was begun and never carried to its end: the coroutine it ran in was left",
            hint: "do not yield inside a hook; `drrunbook status` says where the applications are", location: place(nil))
    }
}

extension String {
    /// An error's text is for people: what is longer than 2,000 characters is cut.
    fileprivate var shortened: String { count > 2000 ? "\(prefix(2000)) ... (\(utf8.count) bytes in all)" : self }
}
