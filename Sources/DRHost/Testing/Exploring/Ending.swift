internal import DRModel
internal import DRSimulation
internal import DRSupport

/// The two sites after a run, as far as it matters to people.
struct Ending: Equatable {
    /// By application: who holds it, and where it runs.
    var places: [String: String] = [:]
    var running: [String: [String]] = [:]
    /// Schedules that are suspended.
    var suspended: Set<String> = []
    /// Texts of objects, by cluster and key.
    var objects: [String: String] = [:]
    var drills: [String] = []

    init(_ world: SimulatedWorld) {
        for application in world.inventory.applications {
            places[application.name.text] = (world.holder(of: application.name)?.cluster ?? SimulatedSite.home(world.inventory))?.text
            running[application.name.text] = world.running(application).map(\.text)
        }
        for cluster in world.clusters.values {
            let state = cluster.state.withLock { $0 }
            for (key, object) in state.objects { objects["\(cluster.name) \(key)"] = object.text }
            for (path, value) in state.documents {
                if path.text.hasPrefix("drills/") { drills.append("\(path.text.dropFirst(7)) at \(cluster.name)") }
                if path.text.hasPrefix(DocumentPath.schedules.text + "/"), value["suspended"].bool == true {
                    suspended.insert(String(path.text.dropFirst(DocumentPath.schedules.text.count + 1)))
                }
            }
        }
        drills.sort()
    }

    /// What differs from another, in words; nil = nothing.
    func difference(from other: Ending) -> String? {
        for name in places.keys.sorted() {
            if places[name] != other.places[name] {
                return "\(name) is at \(places[name] ?? "no cluster"), not at \(other.places[name] ?? "no cluster")"
            }
            if running[name] != other.running[name] {
                return "\(name) runs at \(Self.list(running[name])), not at \(Self.list(other.running[name]))"
            }
        }
        if let name = suspended.subtracting(other.suspended).min() { return "the schedule \(name) is suspended" }
        if let name = other.suspended.subtracting(suspended).min() { return "the schedule \(name) is not suspended" }
        if let drill = drills.first(where: { !other.drills.contains($0) }) { return "the drill \(drill) still stands" }
        for key in Set(objects.keys).union(other.objects.keys).sorted() where objects[key] != other.objects[key] {
            return objects[key] == nil
                ? "\(key) is not there" : other.objects[key] == nil ? "\(key) is there" : "\(key) says something else"
        }
        return nil
    }

    private static func list(_ names: [String]?) -> String {
        names.map { $0.isEmpty ? "no cluster" : $0.joined(separator: " and ") } ?? "no cluster"
    }
}
