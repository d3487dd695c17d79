package import DRModel

/// The locks of a run: let go where it ends or waits for a time, kept where it waits for people.
///
/// Those that processes before this one took are among them: a run that is carried on may end without asking for them again.
struct RunLocks {
    let engine: any DREngine
    let record: RunRecord

    func release(at places: Set<ClusterName>) async {
        do {
            try await engine.release(run: record.run, at: places)
        } catch {
            record.tell(.warning("locks could not be released: \(DRError(any: error).message)"))
        }
    }

    /// `until`: nil for as long as a run that was put down is waited for.
    func keep(at places: Set<ClusterName>, until: Instant?) async {
        do {
            try await engine.park(run: record.run, at: places, until: until)
        } catch {
            record.tell(.warning("locks could not be kept: \(DRError(any: error).message)"))
        }
    }
}

extension Inventory {
    /// Where a call with this input may have locked applications. In a disaster nobody asks the source.
    package func workplaces(of input: Value) -> Set<ClusterName> {
        var names = ["cluster", "source", "destination"].compactMap { input[$0].string }
        if let pair = pairs.first(where: { $0.name.text == input["pair"].string }) {
            let (source, destination) =
                input["reversed"].bool == true ? (pair.destination, pair.source) : (pair.source, pair.destination)
            names += input["mode"].string == "disaster" ? [destination.text] : [source.text, destination.text]
        }
        return Set(clusters.filter { names.contains($0.text) })
    }
}
