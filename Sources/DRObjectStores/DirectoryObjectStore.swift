public import DRModel
internal import DRSupport

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Objects as files of a folder, which several clusters may share.
///
/// An object is written beside (`.tmp/`), synced, renamed without replacing, and its folder synced: it is whole or absent. A folder that is not there is `store-unreachable`, never
/// made anew: it may be a mount that is missing.
public struct DirectoryObjectStore: ObjectStore {
    public let name: StoreName
    private let directory: StorePath
    private let io: any StoreIO
    private let random: any RandomSource
    /// Folders whose names, and those of the folders above, are durable, for as long as the folder above was last changed then: after that another one may stand under the name.
    private let ready = Lock<[StorePath: Instant]>([:])
    private let isCleared = Lock(false)
    /// As in a bucket.
    private static let mostBytes: Int64 = 1 << 30

    public init(name: StoreName, directory: StorePath, io: any StoreIO, random: any RandomSource) {
        self.name = name
        self.directory = directory
        self.io = io
        self.random = random
    }

    @discardableResult
    public func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool { try await put(name, bytes, upon: []) }

    @discardableResult
    public func put(_ name: String, _ bytes: [UInt8], upon names: [String]) async throws -> Bool {
        try reporting {
            let target = try path(name)
            let below = try folders(of: names)
            // Whoever put it before may have died before its name was durable.
            guard try io.facts(target) == nil else {
                try settle(below.union([target.folder]))
                return false
            }
            let isFirst = try place(bytes, at: target) { file in try settle(below, with: file) }
            try settle([target.folder])
            return isFirst
        }
    }

    @discardableResult
    public func place(_ name: String, _ bytes: [UInt8]) async throws -> Bool {
        try reporting {
            let target = try path(name)
            return try io.facts(target) == nil && place(bytes, at: target) { file in try file.sync() }
        }
    }

    public func announce(_ name: String, _ bytes: [UInt8]) async throws {
        try reporting {
            let target = try path(name)
            if try io.facts(target) == nil { _ = try place(bytes, at: target) { _ in } }
        }
    }

    /// False when the target exists. `lasting`: what must be durable before it has its name.
    private func place(_ bytes: [UInt8], at target: StorePath, lasting: (any StoreFile) throws -> Void) throws -> Bool {
        // Before the bytes are synced: most filesystems then make both durable at once.
        try makeFolders(target.folder)
        let (temporary, file) = try makeTemporary()
        do {
            try unsafe bytes.withUnsafeBytes { try unsafe file.writeThrough(at: 0, $0) }
            try lasting(file)
            try file.close()
            if try renameMaking(temporary, target) { return true }
        } catch let error as IOFailure {
            try? io.removeFile(temporary)
            throw error
        }
        try io.removeFile(temporary)
        return false
    }

    public func get(_ name: String) async throws -> [UInt8] { try get(name, most: nil) }

    public func get(_ name: String, first count: Int) async throws -> [UInt8] { try get(name, most: count) }

    private func get(_ name: String, most: Int?) throws -> [UInt8] {
        try reporting {
            let path = try path(name)
            do {
                guard let facts = try io.facts(path), facts.kind == .file,
                    let file = try unlessGone({ try io.open(path, .read, permissions: 0) })
                else {
                    throw DRError(.notFound, "store \(self.name) holds no \(name)")
                }
                defer { try? file.close() }
                guard facts.size <= Self.mostBytes else {
                    throw DRError(.damaged, "\(name) in store \(self.name) is \(ByteCount(facts.size)): no object is that large")
                }
                var bytes = [UInt8](repeating: 0, count: min(Int(facts.size), most ?? Int.max))
                let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(at: 0, into: $0) }
                return count == bytes.count ? bytes : Array(bytes[..<count])
            } catch let error as IOFailure where [EIO, EILSEQ].contains(error.code) {
                // The disk does not give back what it was given: damage like any other, which a sound copy heals.
                throw DRError(.damaged, "object \(name) of store \(self.name) cannot be read: \(error)")
            }
        }
    }

    public func exists(_ name: String) async throws -> Bool { try reporting { try io.facts(try path(name))?.kind == .file } }

    public func list(prefix: String) async throws -> [StoredObject] {
        try reporting {
            // Only the folder that the prefix names is looked through, not the whole store.
            let above = prefix.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            guard above.isEmpty || ObjectName.isValid(above) else { throw ObjectName.invalid(prefix) }
            var found: [StoredObject] = []
            var open = [above]
            while let folder = open.popLast() {
                let place = folder.isEmpty ? directory : directory / folder
                for entry in try entries(place) {
                    let segment = String(decoding: entry.name, as: UTF8.self)
                    guard let facts = entry.facts, ObjectName.isValid(segment) else { continue }
                    let name = folder.isEmpty ? segment : folder + "/" + segment
                    guard name.hasPrefix(prefix) || prefix.hasPrefix(name + "/") else { continue }
                    switch facts.kind {
                    case .folder: open.append(name)
                    case .file: found.append(StoredObject(name: name, size: ByteCount(facts.size)))
                    default: break
                    }
                }
            }
            return found.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        }
    }

    public func delete(_ name: String) async throws {
        try reporting {
            let path = try path(name)
            if try io.facts(path) != nil { try unlessGone { try io.removeFile(path) } }
            try removeEmpty(path.folder)
            // Whoever deleted it before may have died before that was durable.
            try settle([path.folder])
        }
    }

    /// Folders of single points go with their last object: lists look into all that there are.
    private func isLasting(_ folder: StorePath) -> Bool {
        folder == directory || [folder.folder, folder.folder.folder].contains(directory)
    }

    private func removeEmpty(_ folder: StorePath) throws {
        if isLasting(folder) { return }
        do { try io.removeFolder(folder) } catch let error as IOFailure where [ENOTEMPTY, EEXIST, EBUSY, ENOENT].contains(error.code) {}
    }

    /// Nil where another hand was faster.
    @discardableResult
    private func unlessGone<Result>(_ body: () throws -> Result) throws -> Result? {
        do { return try body() } catch let error as IOFailure where error.code == ENOENT { return nil }
    }

    public func withdraw(_ name: String) async throws {
        try reporting {
            let path = try path(name)
            if try io.facts(path) != nil { try unlessGone { try io.removeFile(path) } }
        }
    }

    public func settle(_ names: [String]) async throws {
        try reporting { try settle(try folders(of: names)) }
    }

    private func folders(of names: [String]) throws -> Set<StorePath> {
        var folders: Set<StorePath> = []
        for name in names {
            guard name.hasSuffix("/") else {
                folders.insert(try path(name).folder)
                continue
            }
            var open = [try path(String(name.dropLast()))]
            while let folder = open.popLast() {
                let held = try entries(folder)
                // What a put leaves that was killed before its object had its name.
                if held.isEmpty { try removeEmpty(folder) }
                folders.insert(folder)
                open += held.filter { $0.facts?.kind == .folder }.map { folder / $0.name }
            }
        }
        return folders
    }

    /// The folder, or the one above that shows that it is not there.
    private func standing(_ folder: StorePath) throws -> StorePath {
        try folder == directory || io.facts(folder)?.kind == .folder ? folder : standing(folder.folder)
    }

    /// None where there is no folder, or no more.
    private func entries(_ folder: StorePath) throws -> [FolderEntry] {
        guard try io.facts(folder)?.kind == .folder else { return [] }
        return try unlessGone { try io.entries(folder) } ?? []
    }

    private func path(_ name: String) throws -> StorePath {
        guard ObjectName.isValid(name) else { throw ObjectName.invalid(name) }
        return directory / name
    }

    private func makeFolders(_ path: StorePath) throws {
        if try path == directory || io.facts(path)?.kind == .folder { return }
        try makeFolders(path.folder)
        // What was made durable before was the name of one that is gone; time may stand still meanwhile.
        ready.withLock { _ = $0.removeValue(forKey: path) }
        do { try io.makeFolder(path, permissions: 0o700) } catch let error as IOFailure where error.code == EEXIST {
            // Behind a link it would be another folder than the one that lists look into.
            guard try io.facts(path)?.kind == .folder else { throw unreachable("\(path) is no folder") }
        }
    }

    /// The names in these folders, their own and those above become durable, and what is in the file. A folder that is there may be what a killed process left: it is
    /// synced once all the same.
    private func settle(_ folders: Set<StorePath>, with file: (any StoreFile)? = nil) throws {
        var due: Set<StorePath> = []
        var known: [StorePath: Instant] = [:]
        for folder in folders {
            var next = try standing(folder)
            while due.insert(next).inserted, next != directory {
                if isLasting(next), let above = try io.facts(next.folder)?.changed {
                    if ready.withLock({ $0[next] == above }) { break }
                    known[next] = above
                }
                next = next.folder
            }
        }
        try sync([file].compactMap(\.self), due.sorted())
        ready.withLock { $0.merge(known) { $1 } }
    }

    private func sync(_ files: [any StoreFile], _ folders: [StorePath]) throws {
        do { try io.sync(files, folders: folders) } catch let error as IOFailure where error.code == ENOENT {
            // A file that failed to sync may not be synced again, and none fails so.
            for folder in folders { try sync(folder) }
        }
    }

    /// That a folder went meanwhile stands in the one above.
    private func sync(_ folder: StorePath) throws {
        do { try io.syncFolder(folder) } catch let error as IOFailure where error.code == ENOENT && folder != directory {
            try sync(folder.folder)
        }
    }

    private func makeTemporary() throws -> (StorePath, any StoreFile) {
        let folder = directory / ".tmp"
        try makeFolders(folder)
        // A repeated number is what a seeded source gives after a crash: the file of that name is the dead run's.
        for _ in 0..<64 {
            let path = folder / random.identifier()
            do {
                let file = try io.open(path, .create, permissions: 0o600)
                try clearTemporary(folder, by: file)
                return (path, file)
            } catch let error as IOFailure where error.code == EEXIST {
                continue
            }
        }
        throw unreachable("no free name in \(folder)")
    }

    /// Once for each process: what dead processes left half written a day ago and more, by the filesystem's own clock.
    private func clearTemporary(_ folder: StorePath, by new: any StoreFile) throws {
        guard
            isCleared.withLock({ cleared in
                defer { cleared = true }; return !cleared
            })
        else { return }
        let now = try new.facts().modified
        for entry in try io.entries(folder) {
            guard let facts = entry.facts, facts.kind == .file, facts.modified < now - .seconds(86_400) else { continue }
            // Another process may be clearing, too.
            try unlessGone { try io.removeFile(folder / entry.name) }
        }
    }

    /// Folders that go with their last object may go at any moment.
    private func renameMaking(_ from: StorePath, _ to: StorePath) throws -> Bool {
        for _ in 0..<64 {
            try makeFolders(to.folder)
            do { return try renameKeeping(from, to) } catch let error as IOFailure where error.code == ENOENT { continue }
        }
        throw unreachable("\(to.folder) goes as often as it is made")
    }

    /// False when the target exists.
    private func renameKeeping(_ from: StorePath, _ to: StorePath) throws -> Bool {
        do {
            try io.rename(from, to, .keep)
            return true
        } catch let error as IOFailure where error.code == EEXIST {
            return false
        } catch let error as IOFailure where [EINVAL, ENOSYS, EOPNOTSUPP].contains(error.code) {
            // Network filesystems cannot rename without replacing; a second name does not replace either.
            do { try io.makeHardLink(to, to: from) } catch let error as IOFailure where error.code == EEXIST { return false }
            try io.removeFile(from)
            return true
        }
    }

    private func reporting<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            guard try io.facts(directory)?.kind == .folder else { throw unreachable("its folder \(directory) is not there") }
            return try body()
        } catch let error as IOFailure {
            switch error.code {
            case ENOSPC, EDQUOT: throw DRError(.noSpace, "store \(name): \(error)", hint: "make room on that filesystem and run it again")
            case ESTALE, ENOTCONN, EHOSTDOWN, EHOSTUNREACH, ETIMEDOUT: throw unreachable("\(error)")
            default: throw DRError(.io, "store \(name): \(error)")
            }
        }
    }

    private func unreachable(_ reason: String) -> DRError {
        DRError(.storeUnreachable, "store \(name) cannot be reached: \(reason)", hint: "mount or create it, then run it again")
    }
}
