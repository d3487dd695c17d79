internal import DRModel
internal import DRReplication
internal import DRSimulation
internal import DRSupport

/// dr.yaml's world for an exploration: what lies at its sites now, as far as nothing was moved yet.
enum WorldSnapshot {
    /// Reads the sites and changes nothing. A site that does not answer, or applications that were moved, are made up instead; the notes say so.
    static func take(_ host: Host) async throws -> (Fixture, notes: [String]) {
        var fixture = Fixture(host.configuration)
        fixture.copied = .seconds(300)
        let inventory = host.configuration.inventory
        var sites: [ClusterName: Fixture.Site] = [:]
        do {
            for name in inventory.clusters {
                guard let cluster = host.world.clusters[name] else { continue }
                guard try await cluster.documents(in: .applications).isEmpty else {
                    return (
                        fixture,
                        [
                            "applications were moved before: a made-up workload stands for each, and all begin at home; --world takes a fixture"
                        ]
                    )
                }
                var site = Fixture.Site()
                site.facts = try await cluster.facts()
                site.isExplicit = true
                var objects: [ObjectKey: ManifestObject] = [:]
                for application in inventory.applications {
                    for object in try await cluster.objects(of: application) { objects[object.key] = object }
                }
                site.resources = objects.values.sorted { $0.key < $1.key }.map { (file: "\(name) \($0.key)", text: $0.text) }
                sites[name] = site
            }
        } catch let error as DRError {
            return (fixture, ["\(error.message): contents are made up"])
        }
        guard let home = SimulatedSite.home(inventory), sites[home]?.resources.isEmpty == false else {
            return (fixture, ["the sites are empty, so their contents are made up"])
        }
        fixture.sites = sites
        return (fixture, [])
    }
}
