internal import DRModel

/// Sends the manifests of a point: pages that the newest point has in the store are named again, the others go into packs.
struct ManifestUpload {
    let store: any ObjectStore
    let names: ObjectNames
    let writer: PackWriter
    /// Packs that will last.
    let stored: Set<PackID>

    func send(_ manifests: [ManifestObject], after newest: PointRecord?) async -> PageIndex {
        let known = await known(newest)
        let compressor = Compressor()
        let entries = ManifestPages.pages(manifests).map { page in
            if let entry = known[page.contentHash] { return entry }
            let bytes = page.bytes
            return PageIndex.Entry(
                content: page.contentHash, page: page.name,
                location: unsafe bytes.withUnsafeBytes { unsafe writer.add(page.name, $0, compressor) },
                contentLength: UInt32(truncatingIfNeeded: page.content.count), placesLength: 0)
        }
        return PageIndex(kind: .manifests, entries: entries, packs: [])
    }

    /// By content. It only saves sending: what cannot be read is sent anew.
    private func known(_ newest: PointRecord?) async -> [ContentHash: PageIndex.Entry] {
        guard let hash = newest?.manifests.index, let object = try? await store.get(names.map(hash)),
            let index = try? PageIndex(parsing: object, name: hash), index.kind == .manifests
        else { return [:] }
        let lasting = index.entries.filter { stored.contains($0.location.pack) }
        return Dictionary(lasting.map { ($0.content, $0) }) { first, _ in first }
    }
}
