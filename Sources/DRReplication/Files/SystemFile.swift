internal import CStorage
internal import DRModel
internal import DRSupport
internal import Synchronization

/// An open file of this machine. Closed when it goes away, if nobody closed it.
///
/// Whoever closes it must be the last to use it.
final class SystemFile: StoreFile {
    private let open: Atomic<Int32>
    private let path: StorePath
    private var descriptor: Int32 { open.load(ordering: .acquiring) }

    init(descriptor: Int32, path: StorePath) {
        open = Atomic(descriptor)
        self.path = path
    }

    deinit { if descriptor >= 0 { _ = cstorage_close(descriptor) } }

    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard let start = buffer.baseAddress else { return 0 }
        let count = unsafe cstorage_read(descriptor, offset, start, buffer.count)
        try check(Int32(truncatingIfNeeded: min(count, 0)), "read", path)
        return Int(count)
    }

    func write(at offset: Int64, _ bytes: UnsafeRawBufferPointer) throws {
        guard let start = bytes.baseAddress else { return }
        try check(unsafe cstorage_write(descriptor, offset, start, bytes.count), "write", path)
    }

    func writeThrough(at offset: Int64, _ bytes: UnsafeRawBufferPointer) throws {
        guard let start = bytes.baseAddress else { return }
        try check(unsafe cstorage_write_through(descriptor, offset, start, bytes.count), "write", path)
    }

    func clear(_ range: Range<Int64>) throws {
        let length = range.upperBound - range.lowerBound
        if try check(cstorage_punch(descriptor, range.lowerBound, length), "clear", path) == 0 { try writeZeros(range) }
    }

    func truncate(to size: Int64) throws { try check(cstorage_truncate(descriptor, size), "truncate", path) }

    func setOwner(_ owner: UInt32, group: UInt32) throws {
        try check(cstorage_file_set_owner(descriptor, owner, group), "set the owner of", path)
    }

    func setPermissions(_ mode: UInt32) throws {
        try check(cstorage_file_set_permissions(descriptor, mode), "set the permissions of", path)
    }

    func setModified(_ instant: Instant) throws {
        try check(cstorage_file_set_modified(descriptor, instant.nanosecondsSince1970), "set the time of", path)
    }

    func sync() throws { try check(cstorage_sync(descriptor), "sync", path) }

    func facts() throws -> FileFacts {
        var found = cstorage_facts()
        try check(unsafe cstorage_file_facts(descriptor, &found), "stat", path)
        return FileFacts(found)
    }

    func clone(from source: any StoreFile) throws -> Bool {
        guard let source = source as? SystemFile else { return false }
        return try check(cstorage_clone(descriptor, source.descriptor), "clone to", path) == 1
    }

    func nextData(from offset: Int64) throws -> Range<Int64>? {
        var start: Int64 = 0
        var end: Int64 = 0
        guard try check(unsafe cstorage_next_data(descriptor, offset, &start, &end), "seek in", path) == 1 else { return nil }
        return start..<max(start, end)
    }

    func differing(from other: any StoreFile) throws -> [Range<Int64>]? {
        guard let other = other as? SystemFile else { return nil }
        var bounds: UnsafeMutablePointer<Int64>?
        var count = 0
        guard unsafe cstorage_differing(descriptor, other.descriptor, &bounds, &count) == 0 else { return nil }
        guard let found = unsafe bounds else { return [] }
        defer { unsafe cstorage_free(found) }
        return stride(from: 0, to: count, by: 2).map { unsafe found[$0]..<found[$0 + 1] }
    }

    func close() throws {
        let closing = open.exchange(-1, ordering: .acquiringAndReleasing)
        if closing >= 0 { try check(cstorage_close(closing), "close", path) }
    }
}

/// Held until it is released or the process ends.
final class SystemLock: StoreLock {
    private let descriptor: Lock<Int32>

    init(descriptor: Int32) { self.descriptor = Lock(descriptor) }

    deinit { release() }

    func release() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { _ = cstorage_unlock(descriptor) }
            descriptor = -1
        }
    }
}
