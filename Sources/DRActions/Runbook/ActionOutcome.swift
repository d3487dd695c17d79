internal import DRModel

/// What came of an action: the payload of an outcome record.
struct ActionOutcome: Sendable {
    let result: Result<Value, DRError>
    let effects: [Effect]
    let duration: Duration
    /// The names given to recovery points that no earlier record holds, with the others of their applications, so that a resumed run goes on with them.
    let points: [String: [PointID]]

    var error: DRError? { if case .failure(let error) = result { error } else { nil } }
    var value: Value? { if case .success(let value) = result { value } else { nil } }

    func payload() throws -> Value {
        var members: [String: Value] = [
            "effects": try Value(encoding: effects), "duration": .duration(duration), "points": try Value(encoding: points),
        ]
        switch result {
        case .success(let value): members["result"] = value
        case .failure(let error): members["error"] = try Value(encoding: error)
        }
        return .map(members)
    }

    init(result: Result<Value, DRError>, effects: [Effect], duration: Duration, points: [String: [PointID]]) {
        self.result = result
        self.effects = effects
        self.duration = duration
        self.points = points
    }

    func taking(_ duration: Duration) -> ActionOutcome {
        ActionOutcome(result: result, effects: effects, duration: duration, points: points)
    }

    init(payload: Value) throws {
        do {
            effects = try payload["effects"].decoded(as: [Effect].self)
            points = try payload["points"].decoded(as: [String: [PointID]].self)
            if case .duration(let duration) = payload["duration"] { self.duration = duration } else { duration = .zero }
            result = payload["error"].isNull ? .success(payload["result"]) : .failure(try payload["error"].decoded(as: DRError.self))
        } catch let error as DecodingError {
            throw DRError(.journalDamaged, "an outcome in the journal cannot be read: \(error)")
        }
    }
}
