internal import DRModel

/// What a start restores: taken down once, so that a start that is carried on restores the same.
struct StartDecision: Codable {
    let originals: [String: String]

    /// In the order of start. Throws `damaged`.
    func steps() throws(DRError) -> [(object: ObjectKey, state: String)] {
        var steps: [(object: ObjectKey, state: String)] = []
        for (reference, state) in originals {
            guard let key = ObjectKey(reference: reference) else { throw DRError(.damaged, "\"\(reference)\" names no object") }
            steps.append((key, state))
        }
        return steps.sorted { (CarriedObjects.rank($0.object), $0.object) < (CarriedObjects.rank($1.object), $1.object) }
    }
}
