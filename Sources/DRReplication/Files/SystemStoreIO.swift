internal import CStorage
public import DRModel
internal import DRSupport

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The real files of this machine.
public struct SystemStoreIO: StoreIO {
    public init() {}

    public func facts(_ path: StorePath) throws -> FileFacts? {
        var found = cstorage_facts()
        let status = try unsafe path.withCString { unsafe cstorage_path_facts($0, &found) }
        if status == -ENOENT || status == -ENOTDIR { return nil }
        try check(status, "stat", path)
        return FileFacts(found)
    }

    public func list(_ folder: StorePath) throws -> [[UInt8]] {
        var names: UnsafeMutablePointer<CChar>?
        var length = 0
        try check(unsafe folder.withCString { unsafe cstorage_list($0, &names, &length) }, "list", folder)
        return unsafe adopted(names, length).split(separator: 0).map(Array.init).sorted { $0.lexicographicallyPrecedes($1) }
    }

    public func entries(_ folder: StorePath) throws -> [FolderEntry] {
        var found: UnsafeMutableRawPointer?
        var length = 0
        try check(unsafe folder.withCString { unsafe cstorage_entries($0, &found, &length) }, "list", folder)
        guard let bytes = unsafe found else { return [] }
        defer { unsafe cstorage_free(bytes) }
        var entries: [FolderEntry] = []
        var place = 0
        while place < length {
            let entry = unsafe (bytes + place).loadUnaligned(as: cstorage_entry.self)
            let name = unsafe UnsafeRawBufferPointer(
                start: bytes + place + MemoryLayout<cstorage_entry>.size, count: Int(entry.name_length))
            let isGone = entry.facts.kind == Int32(cstorage_gone)
            entries.append(FolderEntry(name: unsafe Array(name), facts: isGone ? nil : FileFacts(entry.facts)))
            place += Int(entry.size)
        }
        return entries
    }

    public func open(_ path: StorePath, _ mode: OpenMode, permissions: UInt32) throws -> any StoreFile {
        let raw =
            switch mode {
            case .read: cstorage_open_read
            case .create: cstorage_open_create
            case .update: cstorage_open_update
            }
        let file = try unsafe path.withCString { unsafe cstorage_open($0, Int32(raw), permissions) }
        return SystemFile(descriptor: try check(file, mode == .create ? "create" : "open", path), path: path)
    }

    public func makeFolder(_ path: StorePath, permissions: UInt32) throws {
        try check(unsafe path.withCString { unsafe cstorage_make_folder($0, permissions) }, "make the folder", path)
    }

    public func makeSymlink(_ path: StorePath, to target: [UInt8]) throws {
        let status = try unsafe path.withCString { link in
            try unsafe StorePath(bytes: target).withCString { unsafe cstorage_make_symlink(link, $0) }
        }
        try check(status, "make the symbolic link", path)
    }

    public func makeHardLink(_ path: StorePath, to existing: StorePath) throws {
        let status = try unsafe path.withCString { link in try unsafe existing.withCString { unsafe cstorage_make_link(link, $0) } }
        try check(status, "link", path)
    }

    public func symlinkTarget(_ path: StorePath) throws -> [UInt8] {
        var target: UnsafeMutablePointer<CChar>?
        var length = 0
        try check(unsafe path.withCString { unsafe cstorage_symlink_target($0, &target, &length) }, "read the link", path)
        return unsafe adopted(target, length)
    }

    public func rename(_ from: StorePath, _ to: StorePath, _ mode: RenameMode) throws {
        let raw =
            switch mode {
            case .replace: cstorage_rename_replace
            case .keep: cstorage_rename_keep
            case .exchange: cstorage_rename_exchange
            }
        let status = try unsafe from.withCString { old in
            try unsafe to.withCString { unsafe cstorage_rename(old, $0, Int32(raw)) }
        }
        try check(status, mode == .exchange ? "exchange" : "rename to", to)
    }

    public func removeFile(_ path: StorePath) throws {
        try check(unsafe path.withCString { unsafe cstorage_remove_file($0) }, "remove", path)
    }

    public func removeFolder(_ path: StorePath) throws {
        try check(unsafe path.withCString { unsafe cstorage_remove_folder($0) }, "remove the folder", path)
    }

    public func setPermissions(_ path: StorePath, _ mode: UInt32) throws {
        try check(unsafe path.withCString { unsafe cstorage_set_permissions($0, mode) }, "set the permissions of", path)
    }

    public func setOwner(_ path: StorePath, owner: UInt32, group: UInt32) throws {
        try check(unsafe path.withCString { unsafe cstorage_set_owner($0, owner, group) }, "set the owner of", path)
    }

    public func setModified(_ path: StorePath, _ instant: Instant) throws {
        try check(unsafe path.withCString { unsafe cstorage_set_modified($0, instant.nanosecondsSince1970) }, "set the time of", path)
    }

    public func extendedAttributes(_ path: StorePath) throws -> [(name: [UInt8], value: [UInt8])] {
        var names: UnsafeMutablePointer<CChar>?
        var length = 0
        try check(unsafe path.withCString { unsafe cstorage_attributes($0, &names, &length) }, "list the attributes of", path)
        if length == 0 {
            unsafe free(names)
            return []
        }
        let list = unsafe adopted(names, length).split(separator: 0).map(Array.init).sorted { $0.lexicographicallyPrecedes($1) }
        return try list.map { name in
            var value: UnsafeMutablePointer<CChar>?
            var size = 0
            let status = try unsafe path.withCString { file in
                try unsafe StorePath(bytes: name).withCString { unsafe cstorage_attribute(file, $0, &value, &size) }
            }
            try check(status, "read an attribute of", path)
            return (name, unsafe adopted(value, size))
        }
    }

    public func setExtendedAttribute(_ path: StorePath, name: [UInt8], value: [UInt8]) throws {
        let status = try unsafe path.withCString { file in
            try unsafe StorePath(bytes: name).withCString { unsafe cstorage_set_attribute(file, $0, value, value.count) }
        }
        try check(status, "set an attribute of", path)
    }

    public func removeExtendedAttribute(_ path: StorePath, name: [UInt8]) throws {
        let status = try unsafe path.withCString { file in
            try unsafe StorePath(bytes: name).withCString { unsafe cstorage_remove_attribute(file, $0) }
        }
        try check(status, "remove an attribute of", path)
    }

    public func syncFolder(_ path: StorePath) throws {
        try check(unsafe path.withCString { unsafe cstorage_sync_folder($0) }, "sync the folder", path)
    }

    public func sync(_ files: [any StoreFile], folders: [StorePath]) throws {
        let syncs: [@Sendable () throws -> Void] =
            files.map { file in { @Sendable in try file.sync() } } + folders.map { folder in { @Sendable in try syncFolder(folder) } }
        guard let first = syncs.first else { return }
        let threads = Workers("sync", width: min(syncs.count - 1, Self.mostSyncs))
        defer { threads.stop() }
        let tickets = syncs.dropFirst().map { threads.submit($0) }
        let results = [Result { try first() }] + tickets.map { ticket in Result { try ticket.wait() } }
        // What is not there any more says nothing of the disk; another failure, which the system tells once, does.
        for result in results {
            do { try result.get() } catch let error as IOFailure where error.code == ENOENT { continue }
        }
        for result in results { try result.get() }
    }

    private static let mostSyncs = 8

    public func syncFilesystem(_ path: StorePath) throws {
        try check(unsafe path.withCString { unsafe cstorage_sync_filesystem($0) }, "sync the filesystem of", path)
    }

    public func mountIdentity(_ path: StorePath) -> String? {
        var text = [CChar](repeating: 0, count: 256)
        // Old kernels and some containers do not tell, and that is all there is to know.
        guard let status = try? unsafe path.withCString({ unsafe cstorage_mount_identity($0, &text, 256) }), status == 0 else { return nil }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    public func filesystemType(_ path: StorePath) throws -> String {
        var name = [CChar](repeating: 0, count: 64)
        try check(unsafe path.withCString { unsafe cstorage_filesystem_type($0, &name, 64) }, "ask for the filesystem of", path)
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    public func freeSpace(_ path: StorePath) throws -> ByteCount? {
        let bytes = try unsafe path.withCString { unsafe cstorage_free_space($0) }
        if bytes < 0 { try check(Int32(bytes), "ask for the free space of", path) }
        return ByteCount(bytes)
    }

    public func lock(_ path: StorePath, wait: Bool) throws -> (any StoreLock)? {
        let descriptor = try unsafe path.withCString { unsafe cstorage_lock($0, wait ? 1 : 0) }
        if descriptor == -EWOULDBLOCK { return nil }
        return SystemLock(descriptor: try check(descriptor, "lock", path))
    }
}

/// Takes over memory that C allocated.
private func adopted(_ bytes: UnsafeMutablePointer<CChar>?, _ length: Int) -> [UInt8] {
    guard let bytes = unsafe bytes else { return [] }
    defer { unsafe free(bytes) }
    return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: length))
}

@discardableResult
func check(_ status: Int32, _ operation: String, _ path: StorePath) throws -> Int32 {
    guard status < 0 else { return status }
    var text = [CChar](repeating: 0, count: 256)
    let reason = unsafe cstorage_reason(-status, &text, 256).map { unsafe String(cString: $0) } ?? "error \(-status)"
    throw IOFailure(code: -status, operation: operation, path: path, reason: reason)
}

extension StorePath {
    /// A path with a NUL inside would name another file than its author meant.
    func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) throws -> Result {
        let count = bytes.count
        return try unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { buffer in
            guard let start = buffer.baseAddress else {
                throw IOFailure(code: ENOMEM, operation: "use the path", path: self, reason: "there is no memory")
            }
            // As a whole, not byte by byte: this is done with every call.
            unsafe bytes.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
            unsafe buffer[count] = 0
            guard unsafe strlen(start) == count, count > 0 else {
                throw IOFailure(
                    code: EINVAL, operation: "use the path", path: self, reason: "a path cannot be empty or hold a zero byte")
            }
            return try unsafe body(start)
        }
    }
}

extension FileFacts {
    init(_ found: cstorage_facts) {
        let kind: Kind =
            switch Int(found.kind) {
            case cstorage_file: .file
            case cstorage_folder: .folder
            case cstorage_symlink: .symlink
            case cstorage_socket: .socket
            case cstorage_pipe: .pipe
            default: .device
            }
        self.init(
            kind: kind, size: found.size, allocated: found.allocated, mode: found.mode, owner: found.owner, group: found.group,
            modified: Instant(nanosecondsSince1970: found.modified), changed: Instant(nanosecondsSince1970: found.changed),
            device: found.device, inode: found.inode, links: found.links)
    }
}
