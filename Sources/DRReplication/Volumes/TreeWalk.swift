internal import DRModel
internal import DRSupport

/// Goes through a volume in the order of `TreeNode.isBefore`. Holds the entries of the folders it is in, and of some that come next.
struct TreeWalk {
    struct Entry {
        /// Relative to the volume.
        let path: [UInt8]
        let facts: FileFacts
    }

    private struct Folder {
        let prefix: [UInt8]
        let entries: [FolderEntry]
        var next = 0
        /// Folders in it that are being looked into already, by their place in `entries`.
        var ahead: [Int: Ticket<[FolderEntry]>] = [:]
        var looked = 0
    }

    /// How many folders of one folder are looked into before the walk comes there.
    private static let ahead = 64

    private let root: StorePath
    private let volume: VolumeName
    private let io: any StoreIO
    private let workers: Workers?
    private var open: [Folder] = []
    private var entering: (prefix: [UInt8], ticket: Ticket<[FolderEntry]>?)?
    private var started = false
    /// Something that was listed was gone when it was looked at.
    private(set) var sawChange = false

    /// `workers` look ahead.
    init(_ volume: VolumeName, at root: StorePath, io: any StoreIO, workers: Workers? = nil) {
        self.volume = volume
        self.root = root
        self.io = io
        self.workers = (workers?.width ?? 0) > 0 ? workers : nil
    }

    func place(_ path: [UInt8]) -> StorePath { path.isEmpty ? root : root / path }

    /// Throws `volume-unsupported` for what cannot be copied.
    mutating func next() throws -> Entry? {
        guard started else {
            started = true
            guard let facts = try io.facts(root) else { throw DRError(.volumeMissing, "volume \(volume) is not at \(root)") }
            return try found(Entry(path: [], facts: facts), nil)
        }
        try enter()
        while !open.isEmpty {
            let last = open.count - 1
            let number = open[last].next
            guard number < open[last].entries.count else {
                open.removeLast()
                continue
            }
            open[last].next += 1
            let entry = open[last].entries[number]
            guard let facts = entry.facts else {
                sawChange = true
                continue
            }
            var path = open[last].prefix
            if !path.isEmpty { path.append(UInt8(ascii: "/")) }
            path += entry.name
            if facts.kind == .folder { lookAhead(last) }
            return try found(Entry(path: path, facts: facts), open[last].ahead.removeValue(forKey: number))
        }
        return nil
    }

    private mutating func lookAhead(_ place: Int) {
        guard let workers else { return }
        while open[place].looked < open[place].entries.count, open[place].ahead.count < Self.ahead {
            let number = open[place].looked
            open[place].looked += 1
            guard number >= open[place].next - 1, open[place].entries[number].facts?.kind == .folder else { continue }
            let prefix = open[place].prefix
            let folder = self.place(
                prefix.isEmpty ? open[place].entries[number].name : prefix + [UInt8(ascii: "/")] + open[place].entries[number].name)
            open[place].ahead[number] = workers.submit { [io] in try io.entries(folder) }
        }
    }

    /// What stands below the folder that was found last is passed over.
    mutating func skip() { entering = nil }

    private mutating func enter() throws {
        guard let (prefix, ticket) = entering else { return }
        entering = nil
        do {
            open.append(Folder(prefix: prefix, entries: try ticket?.wait() ?? io.entries(place(prefix))))
        } catch let error as IOFailure where error.isMissing {
            sawChange = true
        }
    }

    private mutating func found(_ entry: Entry, _ ticket: Ticket<[FolderEntry]>?) throws -> Entry {
        switch entry.facts.kind {
        case .folder: entering = (entry.path, ticket)
        case .file, .symlink: break
        case .socket, .pipe, .device:
            throw DRError(
                .volumeUnsupported, "volume \(volume) holds a \(entry.facts.kind.rawValue), which cannot be copied: \(place(entry.path))",
                hint: "stop what made it and remove it, or keep it outside the volume")
        }
        return entry
    }
}
