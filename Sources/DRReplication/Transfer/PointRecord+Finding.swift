internal import DRModel

extension PointRecord {
    /// An id alone could be that of an earlier attempt.
    func isRecord(of point: RecoveryPoint) -> Bool { volumes.map(\.volume) == point.volumes && manifests.content == point.manifests }

    /// The record of a point in a store. Throws `damaged` when the store does not hold it.
    static func find(_ point: RecoveryPoint, in store: any ObjectStore, _ names: ObjectNames) async throws -> (
        name: String, record: PointRecord, object: [UInt8]
    ) {
        let listed = try await store.list(prefix: names.points(point.id)).compactMap { names.parseRecord($0.name) }
        var failure: (any Error)?
        for name in listed.sorted(by: { $0.attempt > $1.attempt }) {
            let object = try await store.get(name.name)
            do throws(Malformed) {
                let record = try PointRecord(parsing: object)
                if record.isRecord(of: point) { return (name.name, record, object) }
            } catch { failure = failure ?? damaged(name.name, in: "store \(store.name)", error) }
        }
        throw failure ?? DRError(.damaged, "recovery point \(point.id) is not in store \(store.name)", hint: "use another recovery point")
    }
}

extension PointRecord {
    /// The manifests, read from a store.
    func manifests(in store: any ObjectStore, _ names: ObjectNames) async throws -> [ManifestObject] {
        let name = names.map(manifests.index)
        do {
            let index = try PageIndex(parsing: try await store.get(name), name: manifests.index)
            guard index.token == manifests.content, index.kind == .manifests else {
                throw Malformed("it is not the manifests that the record names")
            }
            let pages = StoredPages(index, in: store, names)
            var found: [StoredPage] = []
            while let page = try await pages.nextStored() { found.append(page) }
            return try ManifestPages.manifests(found)
        } catch let error as Malformed { throw damaged(name, in: "store \(store.name)", error) }
    }
}
