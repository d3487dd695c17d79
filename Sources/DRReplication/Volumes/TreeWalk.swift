internal import DRModel

/// Goes through a volume in the order of `TreeNode.isBefore`. Holds the names of the folders it is in, no more.
struct TreeWalk {
    struct Entry {
        /// Relative to the volume.
        let path: [UInt8]
        let place: StorePath
        let facts: FileFacts
    }

    private let root: StorePath
    private let volume: VolumeName
    private let io: any StoreIO
    private var open: [(prefix: [UInt8], place: StorePath, names: [[UInt8]], next: Int)] = []
    private var entering: (prefix: [UInt8], place: StorePath)?
    private var started = false
    /// Something that was listed was gone when it was looked at.
    private(set) var sawChange = false

    init(_ volume: VolumeName, at root: StorePath, io: any StoreIO) {
        self.volume = volume
        self.root = root
        self.io = io
    }

    /// Throws `volume-unsupported` for what cannot be copied.
    mutating func next() throws -> Entry? {
        guard started else {
            started = true
            guard let facts = try io.facts(root) else { throw DRError(.volumeMissing, "volume \(volume) is not at \(root)") }
            return try found(Entry(path: [], place: root, facts: facts))
        }
        try enter()
        while var folder = open.popLast() {
            guard folder.next < folder.names.count else { continue }
            let name = folder.names[folder.next]
            folder.next += 1
            open.append(folder)
            let place = folder.place / name
            guard let facts = try io.facts(place) else {
                sawChange = true
                continue
            }
            let path = folder.prefix.isEmpty ? name : folder.prefix + [UInt8(ascii: "/")] + name
            return try found(Entry(path: path, place: place, facts: facts))
        }
        return nil
    }

    private mutating func enter() throws {
        guard let (prefix, place) = entering else { return }
        entering = nil
        do {
            open.append((prefix, place, try io.list(place), 0))
        } catch let error as IOFailure where error.isMissing {
            sawChange = true
        }
    }

    private mutating func found(_ entry: Entry) throws -> Entry {
        switch entry.facts.kind {
        case .folder: entering = (entry.path, entry.place)
        case .file, .symlink: break
        case .socket, .pipe, .device:
            throw DRError(
                .volumeUnsupported, "volume \(volume) holds a \(entry.facts.kind.rawValue), which cannot be copied: \(entry.place)",
                hint: "stop what made it and remove it, or keep it outside the volume")
        }
        return entry
    }
}
