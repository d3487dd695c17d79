internal import DRModel

/// What a person found out about a call outside whose answer was lost.
public enum Settlement: String, Sendable, CaseIterable {
    case done
    case notDone = "not-done"
}

/// What a person found out about such calls, by key, and how they know.
public struct Settlements: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    public var words: [String: Settlement]
    public var reason: String?

    public init(_ words: [String: Settlement] = [:], reason: String? = nil) {
        self.words = words
        self.reason = reason
    }

    public init(dictionaryLiteral elements: (String, Settlement)...) { self.init(Dictionary(elements) { $1 }) }

    public var isEmpty: Bool { words.isEmpty }

    public subscript(key: String) -> Settlement? {
        get { words[key] }
        set { words[key] = newValue }
    }

    /// What the record says of it: whose word it is, and when it was given, says its record.
    var payload: [String: DRModel.Value] {
        guard !words.isEmpty else { return [:] }
        var members: [String: DRModel.Value] = ["settled": .map(words.mapValues { .string($0.rawValue) })]
        if let reason { members["reason"] = .string(reason) }
        return members
    }
}
