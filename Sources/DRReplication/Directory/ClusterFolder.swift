internal import DRModel
internal import DRSupport

/// The folder of an embedded cluster: where things are, and how a file is replaced so that a crash leaves the old one or the new one.
struct ClusterFolder: Sendable {
    let cluster: ClusterName
    let root: StorePath
    let io: any StoreIO

    var facts: StorePath { root / "cluster.yaml" }
    var own: StorePath { root / ".dr" }
    var intent: StorePath { own / "intent" }
    var commitLock: StorePath { own / "lock" }
    var keys: StorePath { own / "keys" }
    var locks: StorePath { own / "locks" }

    /// A half-written file has this name until it is whole; one for each folder is enough, because one commit runs at a time.
    static let unfinished = ".dr-unfinished"

    /// `path` is relative to the cluster's folder.
    subscript(path: String) -> StorePath { root / path }
    func shown(_ path: String) -> String { "\(root)/\(path)" }

    // MARK: Reachability

    private static let networkFilesystems = [
        "nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "glusterfs", "gfs2", "ocfs2",
    ]

    /// Runs `body`, telling a cluster that is gone from one that failed. Throws DRError alone.
    func reach<Result>(_ body: () throws -> Result) throws -> Result {
        try requireReachable()
        do {
            return try body()
        } catch let failure as IOFailure {
            try requireReachable()
            throw DRError(failure, at: cluster)
        }
    }

    private func requireReachable() throws {
        func gone(_ reason: String) -> DRError {
            DRError(
                .clusterUnreachable, "cluster \(cluster) cannot be reached: \(reason)",
                hint: "an embedded cluster is a folder that holds cluster.yaml")
        }
        do {
            guard let folder = try io.facts(root) else { throw gone("there is no folder \(root)") }
            guard folder.kind == .folder || folder.kind == .symlink else { throw gone("\(root) is not a folder") }
            guard try io.facts(facts) != nil else { throw gone("\(root) holds no cluster.yaml") }
        } catch let failure as IOFailure {
            throw gone(failure.description)
        }
    }

    /// Kernel locks and renames mean what they promise on a local filesystem only. Throws `configuration`.
    func requireLocalFilesystem() throws {
        let type = try io.filesystemType(root)
        guard Self.networkFilesystems.contains(type) || type.hasPrefix("fuse") else { return }
        throw DRError(
            .configuration, "cluster \(cluster) is on a network filesystem (\(type)), where locks do not hold",
            hint: "put \(root) on a local filesystem such as ext4 or xfs")
    }

    // MARK: Files

    func read(_ path: StorePath) throws -> [UInt8]? {
        guard let found = try io.facts(path) else { return nil }
        guard found.kind == .file else {
            throw DRError(.invalidInput, "\(path) is a \(found.kind.rawValue)", hint: "expected a file")
        }
        let file = try io.open(path, .read, permissions: 0)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: Int(clamping: max(4096, min(found.size + 1, 1 << 20))))
        while true {
            let count = try unsafe buffer.withUnsafeMutableBytes { try unsafe file.read(at: Int64(bytes.count), into: $0) }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        try file.close()
        return bytes
    }

    func text(_ path: StorePath) throws -> String? {
        guard let bytes = try read(path) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw DRError(.invalidInput, "\(path) is not UTF-8 text", location: SourceLocation(file: path.description, line: 1))
        }
        return text
    }

    /// Names of a folder in bytewise order; none where the folder is missing.
    func names(in folder: StorePath) throws -> [String] {
        guard try io.facts(folder)?.kind == .folder else { return [] }
        return try io.list(folder).map { name in
            guard let text = String(validating: name, as: UTF8.self) else {
                throw DRError(.invalidInput, "a file name in \(folder) is not UTF-8: \(folder / name)")
            }
            return text
        }
    }

    /// Makes the folder and those above it, down from the cluster's own; durably, unless `deferred`.
    func makeFolder(_ path: StorePath, deferred: Bool = false) throws {
        guard path != root, try io.facts(path) == nil else { return }
        try makeFolder(path.folder, deferred: deferred)
        try io.makeFolder(path, permissions: 0o755)
        if !deferred { try io.syncFolder(path.folder) }
    }

    /// Puts the file's new content in place in one step, with the mode and owner it had. Durable when it returns, unless `deferred`: then its folder has yet
    /// to be synced.
    ///
    /// `unfinished`: the name it has meanwhile; one of its own where writers do not keep each other out by a lock.
    func replace(_ path: StorePath, with bytes: [UInt8], deferred: Bool = false, unfinished: String = Self.unfinished) throws {
        let old = try io.facts(path)
        let folder = path.folder
        try makeFolder(folder)
        let unfinished = folder / unfinished
        let file = try prepare(unfinished, bytes, like: old)
        try file.sync()
        try file.close()
        try io.rename(unfinished, path, .replace)
        if !deferred { try io.syncFolder(folder) }
    }

    /// A file under its unfinished name, with the mode and owner of the one it will replace. The caller syncs and closes it.
    func prepare(_ unfinished: StorePath, _ bytes: [UInt8], like old: FileFacts?) throws -> any StoreFile {
        if try io.facts(unfinished) != nil { try io.removeFile(unfinished) }
        let file = try io.open(unfinished, .create, permissions: 0o644)
        try unsafe bytes.withUnsafeBytes { try unsafe file.write(at: 0, $0) }
        if let old {
            let new = try file.facts()
            if (new.owner, new.group) != (old.owner, old.group) { try io.setOwner(unfinished, owner: old.owner, group: old.group) }
            if new.mode != old.mode { try io.setPermissions(unfinished, old.mode) }
        }
        return file
    }

    /// Removes a file that may be gone already. Durable when it returns, unless `deferred`.
    func remove(_ path: StorePath, deferred: Bool = false) throws {
        guard try io.facts(path) != nil else { return }
        try io.removeFile(path)
        if !deferred { try io.syncFolder(path.folder) }
    }
}

extension DRError {
    /// A failed system call as a person reads it.
    init(_ failure: IOFailure, at cluster: ClusterName) {
        // ENOSPC and EDQUOT.
        let isFull = failure.code == 28 || failure.code == 122
        self.init(
            isFull ? .noSpace : .io, "cluster \(cluster): \(failure)",
            hint: isFull ? "free some space; what was done so far is carried on with when the same operation is asked for again" : nil)
    }
}
