/// A path as the kernel sees it: bytes, which need not be UTF-8.
public struct StorePath: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    public let bytes: [UInt8]

    public init(bytes: [UInt8]) { self.bytes = bytes }
    public init(_ text: String) { bytes = Array(text.utf8) }
    public init(stringLiteral value: String) { self.init(value) }

    public static func / (folder: StorePath, name: String) -> StorePath { folder / Array(name.utf8) }
    public static func / (folder: StorePath, name: [UInt8]) -> StorePath {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(folder.bytes.count + 1 + name.count)
        bytes += folder.bytes
        if bytes.last != UInt8(ascii: "/") { bytes.append(UInt8(ascii: "/")) }
        bytes += name
        return StorePath(bytes: bytes)
    }

    /// Everything before the last `/`.
    public var folder: StorePath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return StorePath(".") }
        return StorePath(bytes: slash == 0 ? [UInt8(ascii: "/")] : Array(bytes[..<slash]))
    }

    public var lastComponent: [UInt8] { Array(bytes[(bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0)...]) }
    /// For messages: bytes that are not UTF-8 are replaced.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
    public static func < (a: StorePath, b: StorePath) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }
}

/// What `lstat` says.
public struct FileFacts: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable { case file, folder, symlink, socket, pipe, device }
    public var kind: Kind
    public var size: Int64
    /// Bytes on disk, holes not counted.
    public var allocated: Int64
    /// Permission bits, with set-user-id, set-group-id and sticky.
    public var mode: UInt32
    public var owner: UInt32
    public var group: UInt32
    public var modified: Instant
    public var changed: Instant
    public var device: UInt64
    public var inode: UInt64
    public var links: UInt64

    public init(
        kind: Kind, size: Int64, allocated: Int64, mode: UInt32, owner: UInt32, group: UInt32, modified: Instant, changed: Instant,
        device: UInt64, inode: UInt64, links: UInt64
    ) {
        self.kind = kind
        self.size = size
        self.allocated = allocated
        self.mode = mode
        self.owner = owner
        self.group = group
        self.modified = modified
        self.changed = changed
        self.device = device
        self.inode = inode
        self.links = links
    }
}

/// A system call that failed.
public struct IOFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// errno.
    public let code: Int32
    public let operation: String
    public let path: StorePath
    /// The system's words for `code`.
    public let reason: String

    public init(code: Int32, operation: String, path: StorePath, reason: String) {
        self.code = code
        self.operation = operation
        self.path = path
        self.reason = reason
    }

    public var description: String { "\(operation) \(path): \(reason)" }
}

public enum RenameMode: Sendable {
    case replace
    /// Fails with EEXIST when the target exists.
    case keep
    /// Both exist and change places in one step.
    case exchange
}

public enum OpenMode: Sendable {
    case read
    /// Created, must not exist.
    case create
    /// Exists, read and written.
    case update
}

/// Every touch of a file goes through this port, so that tests can count, break and forbid each.
///
/// Calls block: they belong on the engine's own thread. They throw `IOFailure` and never follow a symbolic link in the last component. Nothing is durable
/// before it was synced; a name is durable when its folder was.
public protocol StoreIO: Sendable {
    /// Nil when nothing is there.
    func facts(_ path: StorePath) throws -> FileFacts?
    /// Names in bytewise order, without `.` and `..`.
    func list(_ folder: StorePath) throws -> [[UInt8]]
    /// `list` with the facts of each.
    func entries(_ folder: StorePath) throws -> [FolderEntry]
    func open(_ path: StorePath, _ mode: OpenMode, permissions: UInt32) throws -> any StoreFile
    func makeFolder(_ path: StorePath, permissions: UInt32) throws
    func makeSymlink(_ path: StorePath, to target: [UInt8]) throws
    func makeHardLink(_ path: StorePath, to existing: StorePath) throws
    func symlinkTarget(_ path: StorePath) throws -> [UInt8]
    func rename(_ from: StorePath, _ to: StorePath, _ mode: RenameMode) throws
    func removeFile(_ path: StorePath) throws
    func removeFolder(_ path: StorePath) throws
    func setPermissions(_ path: StorePath, _ mode: UInt32) throws
    func setOwner(_ path: StorePath, owner: UInt32, group: UInt32) throws
    func setModified(_ path: StorePath, _ instant: Instant) throws
    func extendedAttributes(_ path: StorePath) throws -> [(name: [UInt8], value: [UInt8])]
    func setExtendedAttribute(_ path: StorePath, name: [UInt8], value: [UInt8]) throws
    /// Nothing happens where there is none.
    func removeExtendedAttribute(_ path: StorePath, name: [UInt8]) throws
    func syncFolder(_ path: StorePath) throws
    /// All of these, in no order: the disk makes what comes at once durable at once.
    func sync(_ files: [any StoreFile], folders: [StorePath]) throws
    /// Everything written to the filesystem that holds `path`.
    func syncFilesystem(_ path: StorePath) throws
    /// The running kernel and the mount that holds `path`, as a text: another one after a reboot or when it was mounted anew, and then nobody knows who
    /// wrote in between, by what clock. Nil where the system does not tell.
    func mountIdentity(_ path: StorePath) -> String?
    /// `ext4`, `xfs`, `nfs` ...
    func filesystemType(_ path: StorePath) throws -> String
    /// Bytes that the filesystem of `path` has left for us; nil where it does not say.
    func freeSpace(_ path: StorePath) throws -> ByteCount?
    /// An exclusive lock of the kernel's, gone when the process dies. Nil when somebody else holds it and `wait` is false.
    func lock(_ path: StorePath, wait: Bool) throws -> (any StoreLock)?
}

extension StoreIO {
    public func freeSpace(_ path: StorePath) throws -> ByteCount? { nil }

    public func sync(_ files: [any StoreFile], folders: [StorePath]) throws {
        for file in files { try file.sync() }
        for folder in folders { try syncFolder(folder) }
    }

    public func entries(_ folder: StorePath) throws -> [FolderEntry] {
        try list(folder).map { FolderEntry(name: $0, facts: try facts(folder / $0)) }
    }
}

public struct FolderEntry: Hashable, Sendable {
    public let name: [UInt8]
    /// Nil when it was gone when it was looked at.
    public let facts: FileFacts?

    public init(name: [UInt8], facts: FileFacts?) {
        self.name = name
        self.facts = facts
    }
}

/// Several threads may read and write one open file at once.
public protocol StoreFile: AnyObject, Sendable {
    /// Fewer bytes than asked for only at the end.
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int
    func write(at offset: Int64, _ bytes: UnsafeRawBufferPointer) throws
    /// As `write`, past the system's cache where that can be: for much that is not read again soon.
    func writeThrough(at offset: Int64, _ bytes: UnsafeRawBufferPointer) throws
    /// The range reads as zeros, and takes no room where the filesystem can leave holes. It lies within the file.
    func clear(_ range: Range<Int64>) throws
    func truncate(to size: Int64) throws
    func setOwner(_ owner: UInt32, group: UInt32) throws
    func setPermissions(_ mode: UInt32) throws
    func setModified(_ instant: Instant) throws
    func sync() throws
    func facts() throws -> FileFacts
    /// Shares the blocks of `source` (FICLONE). False when the filesystem cannot.
    func clone(from source: any StoreFile) throws -> Bool
    /// Where this file and `other` do not share their blocks, rising; nil when the filesystem does not tell. Both must be still.
    func differing(from other: any StoreFile) throws -> [Range<Int64>]?
    /// The next range that holds data at or after `offset`; nil when there is none. A hint: holes may be reported as data.
    func nextData(from offset: Int64) throws -> Range<Int64>?
    func close() throws
}

extension StoreFile {
    public func writeThrough(at offset: Int64, _ bytes: UnsafeRawBufferPointer) throws { try unsafe write(at: offset, bytes) }
    public func differing(from other: any StoreFile) throws -> [Range<Int64>]? { nil }

    public func clear(_ range: Range<Int64>) throws { try writeZeros(range) }

    public func writeZeros(_ range: Range<Int64>) throws {
        let zeros = [UInt8](repeating: 0, count: Int(min(range.upperBound - range.lowerBound, 1 << 20)))
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = Int(min(Int64(zeros.count), range.upperBound - offset))
            try unsafe zeros.withUnsafeBytes { try unsafe write(at: offset, UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            offset += Int64(count)
        }
    }
}

public protocol StoreLock: AnyObject, Sendable {
    func release()
}
