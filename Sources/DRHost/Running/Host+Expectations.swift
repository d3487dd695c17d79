internal import DRJournal
internal import DRModel

extension Host {
    /// What actions took in the last runs of this host, for plans. A journal that cannot be read leaves times unknown, and nothing else of a plan.
    func pastDurations() -> PastDurations {
        var durations = PastDurations()
        guard TextFile.exists(configuration.journal), let journal = try? looking(), let runs = try? journal.runs() else { return durations }
        let looked = runs.filter { $0.finished != nil }.suffix(Self.runsToLearnFrom)
        for run in looked {
            guard let records = try? journal.records(of: run.id), records.count <= Self.mostRecordsToLearnFrom else { continue }
            var intents: [String: JournalEntry] = [:]
            for record in records {
                switch record.entry.kind {
                case .intent: intents[record.entry.key] = record.entry
                case .outcome:
                    guard let intent = intents.removeValue(forKey: record.entry.key), record.entry.payload["error"].isNull,
                        case .duration(let duration) = record.entry.payload["duration"]
                    else { continue }
                    // An action that found everything done says nothing of how long doing it takes.
                    guard record.entry.payload["result"]["changed"].bool != false else { continue }
                    durations.note(intent.verb, intent.payload, took: duration)
                default: break
                }
            }
            durations.learnedFromRun()
        }
        return durations
    }

    private static let runsToLearnFrom = 20
    private static let mostRecordsToLearnFrom = 10_000
}
