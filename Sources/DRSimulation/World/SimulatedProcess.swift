internal import DRModel
internal import DRSupport

/// The process that carries a run on, until it dies: then nothing it asks for happens any more.
package struct ProcessDied: Error, CustomStringConvertible {
    package var description: String { "the process died here, as the simulation wanted" }
}

/// What a process does right now: to which action a call of a port belongs.
enum CurrentAction {
    @TaskLocal static var place: ActionPlace?
}

/// One life of a host in a simulation. Every port it holds asks here first: for faults, and whether it still lives.
package final class SimulatedProcess: Sendable {
    package let number: Int32
    package let world: SimulatedWorld
    private let dead = Lock(false)
    private let actions = Lock<[String: ActionPlace]>([:])
    /// Nothing that was planned happens to it: somebody else's.
    private let isSpared: Bool

    init(_ number: Int32, in world: SimulatedWorld, isSpared: Bool) {
        self.number = number
        self.isSpared = isSpared
        self.world = world
    }

    package var isDead: Bool { dead.withLock { $0 } }

    func live() throws { if isDead { throw ProcessDied() } }

    /// The locks it holds are free from here on.
    private func die(_ fault: Fault) -> ProcessDied {
        dead.withLock { $0 = true }
        world.buried(number)
        world.timeline.note("fault", "\(fault.text): the process dies", at: world.clock.now())
        return ProcessDied()
    }

    /// From the record of what a run asked for: which action a key belongs to.
    func remember(_ entry: JournalEntry, of run: RunID) {
        actions.withLock { $0["\(run)/\(entry.key)"] = ActionPlace(entry) }
    }

    func place(of key: OperationKey) -> ActionPlace? {
        let actions = actions.withLock { $0 }
        var text = key.text[...]
        while true {
            if let found = actions[String(text)] { return found }
            guard let slash = text.lastIndex(of: "/") else { return nil }
            text = text[..<slash]
        }
    }

    /// A call of a port.
    func port<Result>(_ place: String, _ operation: String, isChange: Bool, _ body: () async throws -> Result) async throws -> Result {
        try live()
        let call = PortCall(place: place, operation: operation, isChange: isChange)
        let faults = isSpared ? [] : world.faults.strike(.port(place, operation))
        for fault in faults where fault.moment == .before { try await strike(fault, source: place, destination: place) }
        defer { recover(faults, source: place, destination: place) }
        world.timeline.passed(call)
        if let action = CurrentAction.place { world.ask(call, for: action) }
        let result = try await body()
        if isChange { world.look(call) }
        for fault in faults where fault.moment == .after { try await strike(fault, source: place, destination: place) }
        return result
    }

    /// Records of a run that share a commit: whoever dies before the last of them has written none.
    func record<Result>(count: Int, _ body: () throws -> Result) throws -> Result {
        try live()
        var faults: [Fault] = []
        for left in (0..<count).reversed() where !isSpared {
            faults = world.faults.strike(.journal).filter { $0.kind == .crash }
            if let fault = faults.first(where: { $0.moment == .before || left > 0 }) { throw die(fault) }
        }
        let result = try body()
        if let fault = faults.first { throw die(fault) }
        return result
    }

    /// An action of the run: it takes its time, and what is planned for it goes wrong.
    func act<Result>(_ key: OperationKey, _ body: () async throws -> Result) async throws -> Result {
        try live()
        guard let place = place(of: key) else { return try await body() }
        let faults = isSpared ? [] : world.faults.strike(.action(place))
        try await world.clock.sleep(for: world.pace.duration(of: place, key))
        try live()
        let (source, destination) = world.ends(of: place)
        for fault in faults where fault.moment == .before { try await strike(fault, source: source, destination: destination, place) }
        defer { recover(faults, source: source, destination: destination) }
        let result = try await CurrentAction.$place.withValue(place) { try await body() }
        try live()
        for fault in faults where fault.moment == .after { try await strike(fault, source: source, destination: destination, place) }
        return result
    }

    private func strike(_ fault: Fault, source: String?, destination: String?, _ place: ActionPlace? = nil) async throws {
        let now = world.clock.now()
        let name = place?.text ?? fault.at
        switch fault.kind {
        case .crash: throw die(fault)
        case .reject: return
        case .error:
            world.timeline.note("fault", fault.text, at: now)
            throw DRError(fault.code, "\(name) failed, as the simulation wanted")
        case .timeout:
            world.timeline.note("fault", fault.text, at: now)
            try await world.clock.sleep(for: fault.delay)
            throw DRError(.timeout, "\(name) was not answered within \(fault.delay.text), as the simulation wanted")
        case .lostReply:
            world.timeline.note("fault", fault.text, at: now)
            let isOutside = ["exec", "http", "notify"].contains(place?.verb ?? "")
            throw DRError(isOutside ? .unknownOutcome : .timeout, "the answer of \(name) was lost, as the simulation wanted")
        case .slow:
            world.timeline.note("fault", fault.text, at: now)
            try await world.clock.sleep(for: fault.delay)
        case .clockJump:
            world.timeline.note("fault", fault.text, at: now)
            world.clock.jump(by: fault.delay)
        case .sourceUnreachable, .destinationUnreachable, .partition, .storeUnreachable, .down:
            world.timeline.note("fault", fault.text, at: now)
            let lost = lost(fault, source: source, destination: destination)
            for name in lost { world.lose(name, power: fault.kind == .down) }
            if case .time(let time) = fault.lasting, fault.kind != .down {
                world.clock.at(now + time) { [world] in for name in lost { world.bringBack(name) } }
            }
        }
    }

    /// Clusters and stores that a fault takes away.
    private func lost(_ fault: Fault, source: String?, destination: String?) -> [String] {
        switch fault.kind {
        case .sourceUnreachable: [source].compactMap(\.self)
        case .destinationUnreachable: [destination].compactMap(\.self)
        case .partition, .down: [fault.cluster ?? source].compactMap(\.self)
        case .storeUnreachable: world.stores.keys.map(\.text).sorted()
        default: []
        }
    }

    private func recover(_ faults: [Fault], source: String?, destination: String?) {
        for fault in faults where fault.lasting == .action && fault.kind != .down {
            for name in lost(fault, source: source, destination: destination) { world.bringBack(name) }
        }
    }
}

/// A call of a port, as watchers hear of it.
package struct PortCall: Hashable, Sendable {
    /// A cluster or a store.
    package let place: String
    package let operation: String
    package let isChange: Bool
}
