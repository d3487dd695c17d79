internal import DRModel

extension RunEvidence {
    /// Each time that somebody took the run up under another dr.yaml than before, and what of it they had to accept.
    var otherConfigurations: [String] {
        var list: [String] = []
        var last = header.configuration
        for record in records where record.entry.kind == .resumed {
            guard let now = record.entry.payload["configuration"].string, now != last else { continue }
            let accepted = ["approvals", "allow"].filter { !record.entry.payload[$0].isNull }
            list.append(
                "dr.yaml was another when \(record.entry.payload["who"].string ?? "somebody") took it up (\(last.prefix(12)) before, \(now.prefix(12)) then)"
                    + (accepted.isEmpty ? "" : ", and they accepted that its \(accepted.joined(separator: " and ")) had changed"))
            last = now
        }
        return list
    }
}
