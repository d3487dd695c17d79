package import DRModel

/// What clusters keep for a run: its locks, and copies of its record. Its locks are let go where it ends or waits for a time, kept where it waits for people.
///
/// Those that processes before this one took are among them: a run that is carried on may end without asking for them again.
struct RunLocks {
    let engine: any DREngine
    let record: RunRecord

    func release(at places: Set<ClusterName>) async {
        await told("at the end of the run") { try await engine.release(run: record.run, at: places) }
    }

    /// Those that former processes of the run left and nobody took since. One that cannot be had now is asked for again where it is needed.
    func takeUp(_ holder: LockHolder, at places: Set<ClusterName>) async {
        await told("locks could not be taken up") { try await engine.takeUp(holder, at: places) }
    }

    /// `until`: nil for as long as a run that was put down is waited for.
    func keep(at places: Set<ClusterName>, until: Instant?) async {
        await told("locks could not be kept") { try await engine.park(run: record.run, at: places, until: until) }
    }

    /// The last records, to where copies are. What they tell has happened already.
    func anchor(_ mirror: (any RunMirror)?) {
        do {
            if let error = try mirror?.write(record.run, for: [(.rest, nil)]).first, let error { throw error }
        } catch {
            record.tell(.warning("the end of the record could not be copied: \(DRError(any: error).message)"))
        }
    }

    /// Whoever could take the run up finds that it has ended: nobody asks for anything by its keys any more.
    func forget(_ mirror: (any RunMirror)?) async {
        await told("what clusters keep of the run's commits stays there") {
            if try mirror?.holdsEverywhere(record.run) ?? true { try await engine.forget(run: record.run) }
        }
    }

    // What fails at the end of a run keeps nothing else from ending.
    private func told(_ text: String, _ body: () async throws -> Void) async {
        do { try await body() } catch { record.tell(.warning("\(text): \(DRError(any: error).message)")) }
    }
}

extension Inventory {
    /// Where a call with this input may have locked applications. In a disaster nobody asks the source.
    package func workplaces(of input: Value) -> Set<ClusterName> {
        var names = ["cluster", "source", "destination"].compactMap { input[$0].string }
        if let pair = pairs.first(where: { $0.name.text == input["pair"].string }) {
            let (source, destination) =
                input["reversed"].bool == true ? (pair.destination, pair.source) : (pair.source, pair.destination)
            let isLost = input["mode"].string == "disaster" || input["without_source"].bool == true
            names += isLost ? [destination.text] : [source.text, destination.text]
        }
        return Set(clusters.filter { names.contains($0.text) })
    }
}
