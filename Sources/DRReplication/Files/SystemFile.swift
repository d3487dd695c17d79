internal import CStorage
internal import DRModel
internal import DRSupport

/// An open file of this machine. Closed when it goes away, if nobody closed it.
final class SystemFile: StoreFile {
    private var descriptor: Int32
    private let path: StorePath

    init(descriptor: Int32, path: StorePath) {
        self.descriptor = descriptor
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

    func truncate(to size: Int64) throws { try check(cstorage_truncate(descriptor, size), "truncate", path) }

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

    func close() throws {
        guard descriptor >= 0 else { return }
        let closing = descriptor
        descriptor = -1
        try check(cstorage_close(closing), "close", path)
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
