internal import DRManifest
internal import DRModel

/// What checks may ask.
struct CheckContext {
    let pair: PairName
    let home: ClusterName
    /// Nil in disaster mode: the source is not touched.
    let source: (any Cluster)?
    let sourceName: ClusterName
    let destination: any Cluster
    let applications: [Application]
    let inventory: Inventory
    let selfFence: [ClusterName: Duration]
    let storeName: StoreName
    let store: (any ObjectStore)?
    let holder: LockHolder
    let now: Instant
    /// What one asking of all checks has read already.
    let memo = Memo()

    final class Memo {
        var standings: [ApplicationName: Standing] = [:]
        var all: [ApplicationName: [ManifestObject]] = [:]
        var carried: [ApplicationName: [ManifestObject]] = [:]
        var arriving: [ApplicationName: [Manifest]?] = [:]
        var present: [Set<String>: [Manifest]] = [:]
        var newest: [ApplicationName: NewestPoint] = [:]
        var own: Set<ObjectKey>?
        var schedules: [Schedule]?
    }

    /// The clusters that may be asked, source first.
    var ends: [any Cluster] { [source].compactMap { $0 } + [destination] }

    /// The source for checks that declare `asksSource`.
    func requireSource() throws -> any Cluster {
        guard let source else { throw DRError(.internal, "a check asked the source, which is not to be touched") }
        return source
    }

    func standing(of application: Application) async throws -> Standing {
        if let known = memo.standings[application.name] { return known }
        var records: [ClusterName: ApplicationRecord] = [:]
        for end in ends { records[end.name] = try await end.record(of: application.name) }
        let standing = Standing(application: application.name, home: home, records: records)
        memo.standings[application.name] = standing
        return standing
    }

    /// The application's objects at the source, those that stay behind among them.
    func all(_ application: Application) async throws -> [ManifestObject] {
        if let known = memo.all[application.name] { return known }
        let objects = try await requireSource().objects(of: application)
        memo.all[application.name] = objects
        return objects
    }

    /// The application's objects that would be copied.
    func carried(_ application: Application) async throws -> [ManifestObject] {
        if let known = memo.carried[application.name] { return known }
        let objects = try CarriedObjects.of(try await all(application))
        memo.carried[application.name] = objects
        return objects
    }

    /// The application's manifests in the form of home: those of the source, or of the newest recovery point where the source is not asked. Nil where nobody
    /// knows.
    func homely(_ application: Application) async throws -> [ManifestObject]? {
        guard let source else {
            return try await newestPoint(application).whole.map { point throws(DRError) in try CarriedObjects.of(point.manifests) }
        }
        let form = ClusterForm(application: application, cluster: sourceName)
        let record = try await source.record(of: application.name)
        return try await carried(application).map { try form.home($0, undoing: record?.transformed?[$0.key.reference] ?? [:]) }
    }

    /// The application's manifests as they would be at the destination; nil where nobody knows.
    func arriving(_ application: Application) async throws -> [Manifest]? {
        if let known = memo.arriving[application.name] { return known }
        let form = ClusterForm(application: application, cluster: destination.name)
        let manifests = try await homely(application)?.map { try Manifest(try form.local($0).object) }
        memo.arriving[application.name] = .some(manifests)
        return manifests
    }

    /// Who at the destination has these things, of which there is one each, apart from the applications' own objects.
    func holders(of things: Set<String>) async throws -> [String: ObjectKey] {
        guard !things.isEmpty else { return [:] }
        let own = try await ownKeys()
        var holders: [String: ObjectKey] = [:]
        for object in try await destination.objects(.having(things)) where !own.contains(object.key) {
            for thing in try Manifest(object).sole { holders[thing] = object.key }
        }
        return holders
    }

    private func ownKeys() async throws -> Set<ObjectKey> {
        if let known = memo.own { return known }
        var own: Set<ObjectKey> = []
        for application in applications { own.formUnion(try await arriving(application)?.map(\.key) ?? []) }
        memo.own = own
        return own
    }

    /// The claims of each of these volumes, whosever they are: at the source, or among the newest recovery points where it is not asked.
    func claims(of volumes: Set<String>) async throws -> [String: [ObjectKey]] {
        guard !volumes.isEmpty else { return [:] }
        var manifests: [Manifest] = []
        if let source {
            manifests = try await source.objects(.having(Set(volumes.map(Manifest.soleVolume)))).map { try Manifest($0) }
        } else {
            for application in applications { manifests += try await arriving(application) ?? [] }
        }
        return Dictionary(grouping: manifests.filter { $0.volumeName != nil }) { $0.volumeName ?? "" }.mapValues { $0.map(\.key).sorted() }
    }

    /// Objects of these kinds at the destination.
    func present(_ kinds: Set<String>) async throws -> [Manifest] {
        if let known = memo.present[kinds] { return known }
        let manifests = try await destination.objects(.kinds(kinds)).map { try Manifest($0) }
        memo.present[kinds] = manifests
        return manifests
    }

    /// The application's volumes: at the source, or those of the newest recovery point where the source is not asked.
    func volumes(_ application: Application) async throws -> [VolumeName] {
        if source != nil { return try ClaimedVolumes(of: try await carried(application)).volumes }
        return try await newestPoint(application).whole?.point.volumes.map(\.name) ?? []
    }

    /// Schedules that copy the application, as clusters know them or dr.yaml declares them; those that cannot be read are left out.
    func schedules(of application: Application) async throws -> [Schedule] {
        try await schedules().filter { $0.covers(application.name) }
    }

    /// What makes the application's next copy, and what a person types for it after `drrunbook`.
    func wayToCopy(_ application: Application) async throws -> (fix: String, next: String) {
        let all = try await schedules(of: application)
        guard let first = all.first else {
            return ("declare a schedule of \(application.name) over \(pair) in dr.yaml: it makes the first copy at once", "apply")
        }
        if let running = all.first(where: { !$0.suspended }) { return ("let schedule \(running.name) run", "serve") }
        return ("resume schedule \(first.name) in a runbook: dr.resume_schedule { name = \"\(first.name)\" }", "schedules")
    }

    private func schedules() async throws -> [Schedule] {
        if let known = memo.schedules { return known }
        var found: [ScheduleName: Schedule] = [:]
        for schedule in inventory.schedules { found[schedule.name] = schedule }
        for end in ends { for schedule in try await end.schedules().sound { found[schedule.name] = schedule } }
        let schedules = found.values.sorted { $0.name < $1.name }
        memo.schedules = schedules
        return schedules
    }

    /// The newest verified point at the destination whose record and manifests can be read; a damaged one hides no older one.
    func newestPoint(_ application: Application) async throws -> NewestPoint {
        if let known = memo.newest[application.name] { return known }
        let newest = try await readNewestPoint(application)
        memo.newest[application.name] = newest
        return newest
    }

    private func readNewestPoint(_ application: Application) async throws -> NewestPoint {
        let listed = try await destination.points(of: application.name)
        var newest = NewestPoint(damaged: listed.damaged.map { ($0.path.lastName, $0.error) })
        for point in listed.sound where point.verifiedAt != nil {
            do {
                newest.whole = (point, try await destination.volumes.manifests(of: point))
                break
            } catch let error as DRError where error.isOfOneRecord {
                // Making it live would mend the copy first.
                if error.code == .damaged, let store, let manifests = try? await destination.volumes.manifests(of: point, from: store) {
                    newest.whole = (point, manifests)
                    newest.mendable = error
                    break
                }
                newest.damaged.append((point.id.text, error))
            }
        }
        // Of damaged ones only those matter that are newer.
        if let found = newest.whole?.point {
            newest.damaged.removeAll { name, _ in
                guard let name = PointName(name, of: application.name) else { return true }
                return (name.epoch, name.generation) < (found.epoch, found.generation)
            }
        }
        return newest
    }
}

/// What a destination could be made live from.
struct NewestPoint {
    var whole: (point: RecoveryPoint, manifests: [ManifestObject])?
    /// Newer than it, or all there are.
    var damaged: [(name: String, error: DRError)]
    /// What is wrong with its own copy, and sound in the store.
    var mendable: DRError?
}

extension Sequence<String> {
    var listed: String { joined(separator: ", ") }
}
