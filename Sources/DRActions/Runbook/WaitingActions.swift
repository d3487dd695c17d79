internal import DRModel

/// Actions whose outcome branches wait for, in the order in which they were asked for. Each is found and taken out at once, however many there are.
struct WaitingActions: Sequence {
    private var slots: [PendingAction?] = []
    private var places: [String: Int] = [:]
    /// Where those begin that nobody has been given yet.
    private var firstNew = 0

    var isEmpty: Bool { places.isEmpty }
    subscript(key: String) -> PendingAction? { places[key].flatMap { slots[$0] } }
    func makeIterator() -> some IteratorProtocol<PendingAction> { slots.lazy.compactMap(\.self).makeIterator() }

    mutating func append(_ pending: PendingAction) {
        places[pending.intent.key] = slots.count
        slots.append(pending)
    }

    mutating func remove(_ key: String) -> PendingAction? {
        guard let place = places.removeValue(forKey: key) else { return nil }
        defer {
            slots[place] = nil
            if slots.count > 64, places.count < slots.count / 2 { closeUp { _ in true } }
        }
        return slots[place]
    }

    mutating func removeAll(where isLeft: (PendingAction) -> Bool) { closeUp { !isLeft($0) } }

    /// Those that were asked for since this was called last.
    mutating func takeNew() -> [PendingAction] {
        defer { firstNew = slots.count }
        return slots[firstNew...].compactMap(\.self)
    }

    /// The same, and they stay new.
    var new: [PendingAction] { slots[firstNew...].compactMap(\.self) }

    /// All of them are new again.
    mutating func lookAgain() { firstNew = 0 }

    private mutating func closeUp(_ stays: (PendingAction) -> Bool) {
        let old = slots[..<firstNew].compactMap(\.self).filter(stays)
        let new = slots[firstNew...].compactMap(\.self).filter(stays)
        slots = old + new
        firstNew = old.count
        places = Dictionary(uniqueKeysWithValues: (old + new).enumerated().map { ($1.intent.key, $0) })
    }
}
