import DRModel
import DRSupport

/// A file of a `FaultyStoreIO`.
final class FaultyFile: StoreFile {
    private let real: any StoreFile
    private let path: StorePath
    private let io: FaultyStoreIO

    init(_ real: any StoreFile, path: StorePath, io: FaultyStoreIO) {
        self.real = real
        self.path = path
        self.io = io
        io.didOpen(1)
    }

    deinit { closed() }

    private let isOpen = Lock(true)
    private func closed() {
        if isOpen.withLock({ open in
            defer { open = false }; return open
        }) {
            io.didOpen(-1)
        }
    }

    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let count = try io.observe { try real.read(at: offset, into: buffer) }
        io.didRead(count)
        return count
    }

    // A torn write: the first half arrives before the process dies.
    func write(at offset: Int64, _ bytes: UnsafeRawBufferPointer) throws {
        let alive = !io.isDead
        var done = false
        do {
            try io.mutate("write", path) {
                try real.write(at: offset, bytes)
                done = true
                io.wrote(path)
            }
        } catch {
            if alive, !done { try? real.write(at: offset, UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)])) }
            throw error
        }
    }

    func clear(_ range: Range<Int64>) throws {
        try io.mutate("clear", path) {
            try real.clear(range)
            io.wrote(path)
        }
    }

    func truncate(to size: Int64) throws {
        try io.mutate("truncate", path) {
            try real.truncate(to: size)
            io.wrote(path)
        }
    }

    func setOwner(_ owner: UInt32, group: UInt32) throws {
        try io.mutate("setOwner", path) { try real.setOwner(owner, group: group) }
    }
    func setPermissions(_ mode: UInt32) throws { try io.mutate("setPermissions", path) { try real.setPermissions(mode) } }
    func setModified(_ instant: Instant) throws { try io.mutate("setModified", path) { try real.setModified(instant) } }

    func sync() throws {
        try io.mutate("sync", path, needsRoom: false) {
            io.synced(path)
        }
    }

    func facts() throws -> FileFacts {
        var facts = try io.observe { try real.facts() }
        if io.lies { facts.allocated = 0 }
        return facts
    }
    func clone(from source: any StoreFile) throws -> Bool {
        try io.mutate("clone", path) { try real.clone(from: (source as? FaultyFile)?.real ?? source) }
    }
    func nextData(from offset: Int64) throws -> Range<Int64>? { io.lies ? nil : try io.observe { try real.nextData(from: offset) } }
    // Closing works even for the dead: the kernel does it.
    func close() throws {
        closed()
        try real.close()
    }
}
