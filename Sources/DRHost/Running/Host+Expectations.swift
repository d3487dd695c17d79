internal import DRJournal
internal import DRModel

extension Host {
    /// What actions took in the last runs of this host, for plans. A journal that cannot be read leaves times unknown, which is said, and nothing else of a plan.
    func pastDurations() -> PastDurations {
        var durations = PastDurations()
        guard TextFile.exists(configuration.journal) else { return durations }
        do {
            // An action that found everything done says nothing of how long doing it takes, and is not among them.
            for actions in try looking().pastActions(runs: Self.runsToLearnFrom, records: Self.mostRecordsToLearnFrom) {
                for action in actions { durations.note(action.verb, action.input, took: action.duration) }
                durations.learnedFromRun()
            }
        } catch {
            durations = PastDurations(problem: "past runs say nothing of times: \((error as? DRError)?.message ?? "\(error)")")
        }
        return durations
    }

    private static let runsToLearnFrom = 20
    private static let mostRecordsToLearnFrom = 10_000
}
