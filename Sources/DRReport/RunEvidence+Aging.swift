internal import DRModel

extension RunEvidence {
    /// Who allowed data to go live that is older than people had agreed to when they looked at the plan, each word once.
    var olderData: [String] {
        guard let most = header.aging?.most else { return [] }
        var list: [String] = []
        for record in records where record.entry.kind == .resumed {
            guard case .duration(let aging) = record.entry.payload["aging"], aging > most else { continue }
            let text =
                "older data was allowed: \(aging.text) older than in the plan, by \(record.entry.payload["who"].string ?? "somebody")"
            if !list.contains(text) { list.append(text) }
        }
        return list
    }
}
