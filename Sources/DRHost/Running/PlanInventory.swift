internal import DRActions
internal import DRManifest
internal import DRModel
internal import DRReplication
internal import DRSupport

/// What a plan was about: the applications its actions named, where they looked at them or changed them, and over which pairs.
struct PlanSelection: Sendable {
    private var named: [ApplicationName: Set<ClusterName>] = [:]
    /// The sources of disasters: the run asks them nothing, so neither does what binds it.
    private var lost: [ApplicationName: Set<ClusterName>] = [:]
    private(set) var pairs: Set<PairName> = []

    var applications: [ApplicationName: Set<ClusterName>] {
        Dictionary(uniqueKeysWithValues: named.map { ($0.key, $0.value.subtracting(lost[$0.key] ?? [])) })
    }

    /// Without clusters that are taken as lost.
    func except(_ lost: [ClusterName]) -> PlanSelection {
        var left = self
        left.named = named.mapValues { $0.subtracting(lost) }
        return left
    }

    mutating func note(_ input: Value, _ inventory: Inventory) {
        let names: [String]
        if input["applications"].string == "all" {
            names = inventory.applications.map(\.name.text)
        } else {
            names = (input["applications"].list?.compactMap(\.string) ?? []) + [input["application"].string].compactMap(\.self)
        }
        let places = inventory.workplaces(of: input)
        for application in inventory.applications where names.contains(application.name.text) {
            named[application.name, default: []].formUnion(places)
        }
        for pair in inventory.pairs where pair.name.text == input["pair"].string {
            pairs.insert(pair.name)
            guard input["mode"].string == "disaster" || input["without_source"].bool == true else { continue }
            let source = input["reversed"].bool == true ? pair.destination : pair.source
            for name in names.compactMap({ try? ApplicationName($0) }) { lost[name, default: []].insert(source) }
        }
    }
}

extension Host {
    /// What a plan binds of the world, by name: a digest of each object, or what a person can compare. Neither status nor the content of volumes is among it, nor are recovery
    /// points. Throws what keeps an object from being read.
    func inventory(of selection: PlanSelection) async throws -> [String: String] {
        let engine = engine(over: world)
        var found: [String: String] = [:]
        for (name, places) in selection.applications {
            guard let application = configuration.inventory.application(name) else { continue }
            for place in places {
                guard let cluster = world.clusters[place] else { continue }
                do { try await note(application, at: cluster, &found) } catch let error as DRError where error.code == .clusterUnreachable {
                    found["\(name) at \(place)"] = "out of reach"
                }
            }
            // Clusters that the plan leaves alone are left alone here: in a disaster nobody asks the source.
            let others = configuration.inventory.clusters.filter { !places.contains($0) }
            if let status = try await engine.status(of: [name], without: others, observation("plan")).first {
                let place = status.active_at.map { "active at \($0)" } ?? "active nowhere that is known"
                found["\(name)"] = "\(place) in epoch \(status.epoch)"
            }
        }
        let clusters = selection.applications.values.reduce(into: Set<ClusterName>()) { $0.formUnion($1) }
        for place in clusters {
            guard let cluster = world.clusters[place] else { continue }
            do {
                for pair in selection.pairs {
                    found["pair \(pair) at \(place)"] = try await cluster.document(.pair(pair)).map { $0.json(.plain) }
                }
                for path in try await cluster.documents(in: .schedules) {
                    guard let record = try await cluster.document(path) else { continue }
                    let names = record["applications"].list?.compactMap(\.string) ?? []
                    guard selection.applications.keys.contains(where: { names.contains($0.text) }) else { continue }
                    found["schedule \(path.text.split(separator: "/").last ?? "?") at \(place)"] = record.json(.plain)
                }
            } catch let error as DRError where error.code == .clusterUnreachable {
                continue
            }
        }
        return found
    }

    private func note(_ application: Application, at cluster: any Cluster, _ found: inout [String: String]) async throws {
        let objects = try await cluster.objects(of: application)
        for object in objects {
            let root = try Manifest(object).root.value
            found["\(object.key) at \(cluster.name)"] = Digest.hex(of: Self.bound(root).json(.plain))
        }
        for volume in try ClaimedVolumes(of: objects).volumes {
            let facts = try await cluster.volumes.stat(volume)
            found["volume \(volume) at \(cluster.name)"] =
                facts.map { "a \($0.kind.rawValue) of \(Self.sizeClass($0.allocated))" } ?? "missing"
        }
    }

    /// A manifest without what a cluster writes into it by itself.
    private static func bound(_ root: Value) -> Value {
        guard case .map(var members) = root else { return root }
        members["status"] = nil
        if case .map(var metadata)? = members["metadata"] {
            for name in ["creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"] { metadata[name] = nil }
            members["metadata"] = .map(metadata)
        }
        return .map(members)
    }

    /// So coarse that a volume in use does not leave it every day.
    private static func sizeClass(_ size: ByteCount) -> String {
        var (limit, names) = (Int64(1024 * 1024), ["1 MiB", "1 GiB", "1 TiB", "1 PiB"][...])
        while names.count > 1, size.bytes >= limit {
            limit *= 1024
            names.removeFirst()
        }
        return size.bytes >= limit ? "more than 1 PiB" : "less than \(names.first ?? "")"
    }
}
