internal import DRModel

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Byte for byte, of the same length.
func isSame(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Bool {
    guard let a = first.baseAddress, let b = second.baseAddress else { return first.count == second.count }
    guard first.count == second.count else { return false }
    return unsafe memcmp(a, b, first.count) == 0
}

extension IOFailure {
    var isMissing: Bool { code == ENOENT || code == ENOTDIR }
    var exists: Bool { code == EEXIST }
    /// The disk cannot give back what it was given.
    var isDamage: Bool { code == EIO || code == EILSEQ }

    var isFull: Bool { (code == ENOSPC && !isOfAttribute) || code == EDQUOT }

    /// Nothing was written yet, and something else needs what is left.
    static func noRoom(_ path: StorePath, _ reason: String) -> IOFailure {
        IOFailure(code: ENOSPC, operation: "make", path: path, reason: reason)
    }

    /// The disk gives back something else than it was given.
    static func notAsWritten(_ path: StorePath) -> IOFailure {
        IOFailure(code: EIO, operation: "read back", path: path, reason: "it is not what was written")
    }

    /// A full filesystem says the same when a file may have no more of them.
    private var isOfAttribute: Bool { operation.hasPrefix("set an attribute") }

    /// What a person is told.
    var asError: DRError {
        switch code {
        case ENOSPC where isOfAttribute, E2BIG where isOfAttribute, EOPNOTSUPP where isOfAttribute:
            DRError(
                .volumeUnsupported, "\(self)",
                hint:
                    "that filesystem cannot hold what the file has; one like the source's can (ext4 keeps 4 KiB of attributes a file, XFS 64 KiB each)"
            )
        case EOVERFLOW:
            DRError(.volumeUnsupported, "\(self)", hint: "its time is before 1677 or after 2262: give it another one (`touch`)")
        case EFBIG: DRError(.volumeUnsupported, "\(self)", hint: "that filesystem cannot hold a file so large; one like the source's can")
        case ENOSPC, EDQUOT: DRError(.noSpace, "\(self)", hint: "make room on that filesystem and run it again")
        case EPERM, EACCES:
            DRError(.io, "\(self)", hint: "run it as root: nobody else can read every file of a volume and keep its owner and mode")
        case ENAMETOOLONG: DRError(.volumeUnsupported, "\(self)", hint: "paths longer than the system allows cannot be copied")
        default: DRError(.io, "\(self)")
        }
    }
}

/// The calls to files that the parts of a volume store share.
extension StoreIO {
    /// Makes the folder and those above it, down from `root`, which must exist. Their names are durable then, also those that a killed run had made.
    func makeFolders(_ path: StorePath, below root: StorePath) throws {
        if path == root { return }
        try makeFolders(path.folder, below: root)
        if try facts(path)?.kind != .folder {
            do { try makeFolder(path, permissions: 0o700) } catch let error as IOFailure where error.exists {}
        }
        try syncFolder(path.folder)
    }

    /// The same without making anything durable: for what a crash of the machine may take.
    func makePlainFolders(_ path: StorePath, below root: StorePath) throws {
        if path == root { return }
        if try facts(path)?.kind == .folder { return }
        try makePlainFolders(path.folder, below: root)
        do { try makeFolder(path, permissions: 0o700) } catch let error as IOFailure where error.exists {}
    }

    /// A folder that gives access lists to what is made in it gives one to a volume's root, too, and the root to all that is made below: access that nobody gave at the source.
    func dropInheritedAccess(_ root: StorePath) throws {
        for name in ["system.posix_acl_default", "system.posix_acl_access"] {
            do { try removeExtendedAttribute(root, name: Array(name.utf8)) } catch let error as IOFailure where error.code == EOPNOTSUPP {}
        }
    }

    /// Removes what is there, whatever it is. Nothing there is fine.
    func removeTree(_ path: StorePath) throws {
        guard let facts = try facts(path) else { return }
        guard facts.kind == .folder else { return try removeFile(path) }
        var open: [(folder: StorePath, names: [[UInt8]])] = [(path, try list(path))]
        while let (folder, names) = open.last {
            guard let name = names.last else {
                try removeFolder(folder)
                open.removeLast()
                continue
            }
            open[open.count - 1].names.removeLast()
            let child = folder / name
            if try self.facts(child)?.kind == .folder { open.append((child, try list(child))) } else { try removeFile(child) }
        }
    }

    /// All of a file that is known to be small enough for memory.
    func readWhole(_ path: StorePath) throws -> [UInt8] {
        let file = try open(path, .read, permissions: 0)
        defer { try? file.close() }
        let size = Int(try file.facts().size)
        var bytes = [UInt8](repeating: 0, count: size)
        let count = try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(at: 0, into: $0) }
        return count == size ? bytes : Array(bytes[..<count])
    }
}
