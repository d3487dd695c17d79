internal import DRModel

/// The pages of a point, read from a store one after the other.
final class StoredPages {
    private let index: PageIndex
    private let store: any ObjectStore
    private let names: ObjectNames
    private let compressor = Compressor()
    private var position = 0
    // Pages that were written together stand together.
    private var packs: [(id: PackID, object: [UInt8])] = []

    init(_ index: PageIndex, in store: any ObjectStore, _ names: ObjectNames) {
        self.index = index
        self.store = store
        self.names = names
    }

    func next() async throws -> PriorIndex.Page? {
        let number = position
        guard let page = try await nextStored() else { return nil }
        return PriorIndex.Page(number: number, page: try page.page(), identities: [], marks: [], entry: index.entries[number])
    }

    func nextStored() async throws -> StoredPage? {
        guard position < index.entries.count else { return nil }
        let entry = index.entries[position]
        let object = try await pack(entry.location.pack)
        let start = Int(entry.location.offset)
        let end = start + Int(entry.location.stored)
        guard end <= object.count else { throw Malformed("it ends too early") }
        let bytes: [UInt8]
        do {
            bytes = try unsafe object[start..<end].withUnsafeBytes {
                try unsafe compressor.unpack($0, entry.location.codec, length: Int(entry.contentLength) + Int(entry.placesLength))
            }
        } catch { throw error as? Malformed ?? Malformed("it cannot be read") }
        let page = try StoredPage(bytes, of: entry)
        position += 1
        return page
    }

    private func pack(_ id: PackID) async throws -> [UInt8] {
        if let found = packs.first(where: { $0.id == id }) { return found.object }
        let object = try await store.get(names.pack(id))
        packs = packs.suffix(1) + [(id, object)]
        return object
    }
}
