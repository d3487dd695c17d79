internal import DRActions
internal import DRModel
internal import DRSimulation
internal import DRSupport

/// What must hold when a run has ended. A clean failure under a fault is no finding.
struct Judgement {
    let inventory: Inventory
    let runbook: Runbook
    /// The run without faults.
    let base: ExploredRun

    func findings(_ explored: ExploredRun) -> [(Invariant, String)] {
        var found = explored.found
        found += outcomes(explored)
        found += outside(explored)
        guard let report = explored.report, !report.isHeld, report.outcome != .waiting else { return found }
        if report.outcome == .succeeded || report.outcome == .targetMissed {
            found += ends(explored)
        } else {
            found += leftBehind(explored, report)
        }
        return found + gates(explored)
    }

    private static let changing: Set<String> = [
        "pair", "schedule", "suspend_schedule", "resume_schedule", "migrate", "stop", "start", "restart", "open_drill", "start_clone",
        "cleanup",
        "patch", "exec", "http", "notify",
    ]

    private func outcomes(_ explored: ExploredRun) -> [(Invariant, String)] {
        guard explored.records.last?.entry.kind == .finished else { return [] }
        let ended = Set(explored.records.filter { $0.entry.kind == .outcome }.map(\.entry.key))
        let dropped = explored.records.dropped
        return explored.records.filter { record in
            record.entry.kind == .intent && !ended.contains(record.entry.key) && !dropped.contains(record.entry.key)
                && Self.changing.contains(record.entry.verb)
        }.map { (.outcomes, "\(ActionPlace($0.entry).text) was begun and has no outcome, and the run has ended") }
    }

    private func outside(_ explored: ExploredRun) -> [(Invariant, String)] {
        var repeatable: Set<String> = []
        for record in explored.records where record.entry.kind == .intent && record.entry.payload["idempotent"].bool == true {
            repeatable.insert(record.entry.key)
        }
        func once(_ calls: [OutsideWorld.Call]) -> [String: Int] {
            let counted = calls.filter { call in
                call.kind != "notify" && !["GET", "HEAD"].contains(call.asked["method"].string ?? "")
                    && !repeatable.contains { call.key.hasSuffix("/" + $0) }
            }
            return Dictionary(counted.map { ("\($0.kind) \($0.text)", 1) }, uniquingKeysWith: +)
        }
        let usual = once(base.outside)
        return once(explored.outside).sorted { $0.key < $1.key }.filter { $0.value > max(1, usual[$0.key] ?? 0) }.map {
            (.outsideOnce, "\($0.key) was called \($0.value) times, though calling it twice is not said to do no harm")
        }
    }

    private func ends(_ explored: ExploredRun) -> [(Invariant, String)] {
        if let ensures = runbook.ensures {
            return ensures.active.sorted { $0.key < $1.key }.compactMap { name, cluster in
                let (place, running) = (explored.ending.places[name], explored.ending.running[name] ?? [])
                guard place != cluster || running != [cluster] else { return nil }
                return (
                    .endState,
                    "the run succeeded, and \(name) is at \(place ?? "no cluster") and runs at \(running.isEmpty ? "no cluster" : running.joined(separator: " and ")), where the runbook ensures \(cluster)"
                )
            }
        }
        guard !explored.schedule.faults.isEmpty, let difference = explored.ending.difference(from: base.ending) else { return [] }
        return [(.endState, "the run succeeded, and \(difference) as it is after a run without faults")]
    }

    private func leftBehind(_ explored: ExploredRun, _ report: RunReport) -> [(Invariant, String)] {
        var found: [(Invariant, String)] = []
        let (start, ending) = (explored.start, explored.ending)
        for name in start.places.keys.sorted() where !report.lists(name) {
            if ending.places[name] != start.places[name] {
                found.append(
                    (
                        .undo,
                        "the run \(report.outcome.rawValue), and \(name) is at \(ending.places[name] ?? "no cluster"); the report does not say so"
                    ))
            } else if ending.running[name] != start.running[name], ending.running[name]?.isEmpty == true {
                found.append((.undo, "the run \(report.outcome.rawValue), and \(name) runs nowhere; the report does not say so"))
            }
        }
        guard !report.listsAnUndo else { return found }
        let moved = ending.places.contains { $0.value != start.places[$0.key] }
        // What a run without faults leaves otherwise than it found it, a failed one may leave so: unless that one moved what this one left at its place.
        let stayed = !moved && base.ending.places != start.places
        for name in ending.suspended.subtracting(start.suspended).sorted()
        where !moved && (stayed || !base.ending.suspended.contains(name)) {
            found.append(
                (.schedules, "the run \(report.outcome.rawValue), and the schedule \(name) is still suspended; the report does not say so"))
        }
        for key in Set(start.objects.keys).union(ending.objects.keys).sorted()
        where ending.objects[key] != start.objects[key] && (ending.drills.isEmpty || start.objects[key] != nil)
            && (stayed && start.objects[key] != nil || base.ending.objects[key] == start.objects[key]) && !isListed(key, report)
        {
            found.append(
                (
                    .undo,
                    "the run \(report.outcome.rawValue), and \(key) is not as it was"
                        + (stayed ? ", and nothing was moved" : ", which it is after a run without faults")
                ))
        }
        // Who tried to remove it and could not leaves it to its lease; so does who never heard that it was opened, while nothing runs in it.
        let hasTried = explored.records.contains { record in
            record.entry.kind == .outcome && record.entry.verb == "cleanup" && !record.entry.payload["error"].isNull
        }
        for drill in ending.drills where !base.ending.drills.contains(drill) && !hasTried && ending.objects.count > start.objects.count {
            found.append((.drill, "the run \(report.outcome.rawValue), and a drill stands until its lease is over: \(drill)"))
        }
        return found
    }

    // An object of an application that the report tells of: its workloads may be stopped.
    private func isListed(_ key: String, _ report: RunReport) -> Bool {
        guard let slash = key.lastIndex(of: "/") else { return false }
        let namespace = key[..<slash].split(separator: " ").last.map(String.init) ?? ""
        return inventory.applications.contains { application in
            report.lists(application.name.text) && inventory.clusters.contains { application.namespaces(at: $0).contains(namespace) }
        }
    }

    // A switch may be tried before people are asked where their no takes it back: then it ends at home.
    private func gates(_ explored: ExploredRun) -> [(Invariant, String)] {
        var live: Set<String> = []
        var wasAsked = false
        var no: String?
        for record in explored.records where record.entry.kind == .outcome {
            let (verb, error) = (record.entry.verb, record.entry.payload["error"])
            if verb == "start", error.isNull, let name = record.entry.path.last {
                let isHome = record.entry.payload["result"]["active_at"].string == explored.start.places[name]
                if let no, !isHome { return [(.gate, "people said no (\(no)), and \(name) went live all the same")] }
                if !wasAsked { live.insert(name) }
            }
            guard verb == "approve" else { continue }
            if error.isNull { wasAsked = wasAsked || live.isEmpty }
            no = error["code"].string ?? no
        }
        guard no != nil, !wasAsked,
            let left = live.sorted().first(where: { explored.ending.places[$0] != explored.start.places[$0] })
        else { return [] }
        return [(.gate, "people said no, and \(left) had gone live before anybody was asked: the gate stands after the switch")]
    }
}
