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
    /// Folders whose names are durable: known once for each process.
    private let ready = Lock<Set<StorePath>>([])
    private let isCleared = Lock(false)

    public init(name: StoreName, directory: StorePath, io: any StoreIO, random: any RandomSource) {
        self.name = name
        self.directory = directory
        self.io = io
        self.random = random
    }

    @discardableResult
    public func put(_ name: String, _ bytes: [UInt8]) async throws -> Bool {
        try reporting {
            let target = try path(name)
            if try io.facts(target) != nil {
                // Whoever put it may have died before its name was durable.
                try makeFolders(target.folder)
                try io.syncFolder(target.folder)
                return false
            }
            try makeFolders(target.folder)
            let (temporary, file) = try makeTemporary()
            do {
                try unsafe bytes.withUnsafeBytes { try unsafe file.writeThrough(at: 0, $0) }
                try file.sync()
                try file.close()
            } catch let error as IOFailure {
                try? io.removeFile(temporary)
                throw error
            }
            guard try renameKeeping(temporary, target) else {
                try io.removeFile(temporary)
                return false
            }
            try io.syncFolder(target.folder)
            return true
        }
    }

    public func get(_ name: String) async throws -> [UInt8] {
        try reporting {
            let path = try path(name)
            guard let facts = try io.facts(path), facts.kind == .file else {
                throw DRError(.notFound, "store \(self.name) holds no \(name)")
            }
            let file = try io.open(path, .read, permissions: 0)
            defer { try? file.close() }
            var bytes = [UInt8](repeating: 0, count: Int(facts.size))
            let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(at: 0, into: $0) }
            return count == bytes.count ? bytes : Array(bytes[..<count])
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
            // What is listed counts as stored: a name that a dead process left must not go with the power. Names of folders go with those in the one above.
            if !above.isEmpty, try io.facts(directory / above)?.kind == .folder { try makeFolders(directory / above) }
            while let folder = open.popLast() {
                let place = folder.isEmpty ? directory : directory / folder
                guard try io.facts(place)?.kind == .folder else { continue }
                try io.syncFolder(place)
                for entry in try io.entries(place) {
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
            guard try io.facts(path) != nil else { return }
            try io.removeFile(path)
            try io.syncFolder(path.folder)
        }
    }

    private func path(_ name: String) throws -> StorePath {
        guard ObjectName.isValid(name) else { throw ObjectName.invalid(name) }
        return directory / name
    }

    /// A folder that is there may be what a killed process left, its name not durable yet: it is synced once all the same.
    private func makeFolders(_ path: StorePath) throws {
        if path == directory { return }
        let exists = try io.facts(path)?.kind == .folder
        if exists, ready.withLock({ $0.contains(path) }) { return }
        try makeFolders(path.folder)
        if !exists {
            do { try io.makeFolder(path, permissions: 0o755) } catch let error as IOFailure where error.code == EEXIST {}
        }
        try io.syncFolder(path.folder)
        ready.withLock { _ = $0.insert(path) }
    }

    private func makeTemporary() throws -> (StorePath, any StoreFile) {
        let folder = directory / ".tmp"
        try makeFolders(folder)
        // A repeated number is what a seeded source gives after a crash: the file of that name is the dead run's.
        for _ in 0..<64 {
            let path = folder / random.identifier()
            do {
                let file = try io.open(path, .create, permissions: 0o644)
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
            do { try io.removeFile(folder / entry.name) } catch let error as IOFailure where error.code == ENOENT { continue }
        }
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
