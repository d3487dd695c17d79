internal import DRModel
internal import DRSupport

/// Goes through a volume in the order of `TreeNode.isBefore`. Holds the entries of the folders it is in, and of some that come next.
struct TreeWalk {
    struct Entry {
        /// Relative to the volume.
        let path: [UInt8]
        let facts: FileFacts
        /// Nil where nobody has read them ahead.
        let attributes: [TreeNode.Attribute]?
    }

    private struct Listed: Sendable {
        let entry: FolderEntry
        let attributes: [TreeNode.Attribute]?
    }

    private struct Folder {
        let prefix: [UInt8]
        let entries: [Listed]
        var next = 0
        /// Folders in it that are being looked into already, by their place in `entries`.
        var ahead: [Int: Ticket<[Listed]>] = [:]
        var looked = 0
    }

    /// How many folders of one folder are looked into before the walk comes there.
    private static let ahead = 64

    private let root: StorePath
    private let volume: VolumeName
    private let io: any StoreIO
    private let workers: Workers?
    private let describes: Bool
    private var open: [Folder] = []
    private var entering: (prefix: [UInt8], ticket: Ticket<[Listed]>?)?
    private var started = false
    /// Something that was listed was gone when it was looked at.
    private(set) var sawChange = false

    /// `workers` look ahead. `describes`: at the attributes, too, for whoever needs those of most entries.
    init(_ volume: VolumeName, at root: StorePath, io: any StoreIO, workers: Workers? = nil, describes: Bool = false) {
        self.volume = volume
        self.root = root
        self.io = io
        self.describes = describes
        self.workers = (workers?.width ?? 0) > 0 ? workers : nil
    }

    func place(_ path: [UInt8]) -> StorePath { path.isEmpty ? root : root / path }

    /// Throws `volume-unsupported` for what cannot be copied.
    mutating func next() throws -> Entry? {
        guard started else {
            started = true
            guard let facts = try io.facts(root) else { throw DRError(.volumeMissing, "volume \(volume) is not at \(root)") }
            return try found(Entry(path: [], facts: facts, attributes: nil), nil)
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
            let listed = open[last].entries[number]
            guard let facts = listed.entry.facts else {
                sawChange = true
                continue
            }
            let entry = Entry(path: Self.path(open[last].prefix, listed.entry.name), facts: facts, attributes: listed.attributes)
            guard facts.kind == .folder else { return try found(entry, nil) }
            lookAhead(last)
            return try found(entry, open[last].ahead.removeValue(forKey: number))
        }
        return nil
    }

    private static func path(_ prefix: [UInt8], _ name: [UInt8]) -> [UInt8] {
        if prefix.isEmpty { return name }
        var path: [UInt8] = []
        path.reserveCapacity(prefix.count + 1 + name.count)
        path += prefix
        path.append(UInt8(ascii: "/"))
        path += name
        return path
    }

    private static func list(_ folder: StorePath, _ io: any StoreIO, describes: Bool) throws -> [Listed] {
        try io.entries(folder).map { entry in
            // Whoever describes it asks again for what cannot be read here, and tells why.
            Listed(entry: entry, attributes: describes && entry.facts != nil ? try? io.attributes(folder / entry.name) : nil)
        }
    }

    private mutating func lookAhead(_ place: Int) {
        guard let workers else { return }
        while open[place].looked < open[place].entries.count, open[place].ahead.count < Self.ahead {
            let number = open[place].looked
            open[place].looked += 1
            let entry = open[place].entries[number].entry
            guard number >= open[place].next - 1, entry.facts?.kind == .folder else { continue }
            let folder = self.place(Self.path(open[place].prefix, entry.name))
            open[place].ahead[number] = workers.submit { [io, describes] in try Self.list(folder, io, describes: describes) }
        }
    }

    /// What stands below the folder that was found last is passed over.
    mutating func skip() { entering = nil }

    private mutating func enter() throws {
        guard let (prefix, ticket) = entering else { return }
        entering = nil
        do {
            open.append(Folder(prefix: prefix, entries: try ticket?.wait() ?? Self.list(place(prefix), io, describes: false)))
        } catch let error as IOFailure where error.isMissing {
            sawChange = true
        }
    }

    private mutating func found(_ entry: Entry, _ ticket: Ticket<[Listed]>?) throws -> Entry {
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
