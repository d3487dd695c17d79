internal import DRActions
internal import DRJournal
public import DRModel

extension Host {
    /// Would a runbook as it is now carry a run on? Nothing is done. Throws `replay-mismatch` with the first difference; returns how many records fit.
    public func replay(_ run: RunID, against runbook: String) async throws -> Int {
        let (header, records) = try recorded(run)
        return try await replay(header, records, against: try RunbookFile(runbook).sources())
    }

    /// The same of an exported run; without `runbook`, with the texts it was started with.
    public func replay(file: String, against runbook: String? = nil) async throws -> Int {
        let archive = try Self.archive(file)
        let sources = try runbook.map { try RunbookFile($0).sources() } ?? RunbookSources(header: archive.header)
        return try await replay(archive.header, archive.records, against: sources)
    }

    private func replay(_ header: RunHeader, _ records: [JournalRecord], against sources: RunbookSources) async throws -> Int {
        let runner = runner(world.planned(), MemoryJournal(), predicted: true, mayActivate: false) { _ in }
        return try await runner.replay(header, records, against: sources)
    }
}
