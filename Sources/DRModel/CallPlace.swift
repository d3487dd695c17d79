/// Where the runbook made the call that is being performed: for what has to name it and knows of no runbooks.
public struct CallPlace: Sendable, Hashable {
    public let verb: String
    public let location: SourceLocation

    public init(verb: String, location: SourceLocation) {
        self.verb = verb
        self.location = location
    }

    /// Nil outside of a run's actions.
    @TaskLocal public static var current: CallPlace?
}
