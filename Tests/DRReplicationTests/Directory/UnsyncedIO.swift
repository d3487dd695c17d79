import DRModel
import DRReplication

/// Real files that are never synced: what a crash loses is simulated above them, and disks are slow. They may claim to be on another filesystem.
struct UnsyncedIO: StoreIO {
    let real = SystemStoreIO()
    var type: String?

    func mountIdentity(_ path: StorePath) -> String? { real.mountIdentity(path) }
    func filesystemType(_ path: StorePath) throws -> String { try type ?? real.filesystemType(path) }
    func facts(_ path: StorePath) throws -> FileFacts? { try real.facts(path) }
    func list(_ folder: StorePath) throws -> [[UInt8]] { try real.list(folder) }
    func open(_ path: StorePath, _ mode: OpenMode, permissions: UInt32) throws -> any StoreFile {
        UnsyncedFile(real: try real.open(path, mode, permissions: permissions))
    }
    func makeFolder(_ path: StorePath, permissions: UInt32) throws { try real.makeFolder(path, permissions: permissions) }
    func makeSymlink(_ path: StorePath, to target: [UInt8]) throws { try real.makeSymlink(path, to: target) }
    func makeHardLink(_ path: StorePath, to existing: StorePath) throws { try real.makeHardLink(path, to: existing) }
    func symlinkTarget(_ path: StorePath) throws -> [UInt8] { try real.symlinkTarget(path) }
    func rename(_ from: StorePath, _ to: StorePath, _ mode: RenameMode) throws { try real.rename(from, to, mode) }
    func removeFile(_ path: StorePath) throws { try real.removeFile(path) }
    func removeFolder(_ path: StorePath) throws { try real.removeFolder(path) }
    func setPermissions(_ path: StorePath, _ mode: UInt32) throws { try real.setPermissions(path, mode) }
    func setOwner(_ path: StorePath, owner: UInt32, group: UInt32) throws { try real.setOwner(path, owner: owner, group: group) }
    func setModified(_ path: StorePath, _ instant: Instant) throws { try real.setModified(path, instant) }
    func extendedAttributes(_ path: StorePath) throws -> [(name: [UInt8], value: [UInt8])] { try real.extendedAttributes(path) }
    func removeExtendedAttribute(_ path: StorePath, name: [UInt8]) throws { try real.removeExtendedAttribute(path, name: name) }
    func setExtendedAttribute(_ path: StorePath, name: [UInt8], value: [UInt8]) throws {
        try real.setExtendedAttribute(path, name: name, value: value)
    }
    func syncFolder(_ path: StorePath) throws {}
    func syncFilesystem(_ path: StorePath) throws {}
    func lock(_ path: StorePath, wait: Bool) throws -> (any StoreLock)? { try real.lock(path, wait: wait) }
}

private final class UnsyncedFile: StoreFile {
    private let real: any StoreFile
    init(real: any StoreFile) { self.real = real }

    func sync() throws {}
    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws -> Int { try real.read(at: offset, into: buffer) }
    func write(at offset: Int64, _ bytes: UnsafeRawBufferPointer) throws { try real.write(at: offset, bytes) }
    func truncate(to size: Int64) throws { try real.truncate(to: size) }
    func setOwner(_ owner: UInt32, group: UInt32) throws { try real.setOwner(owner, group: group) }
    func setPermissions(_ mode: UInt32) throws { try real.setPermissions(mode) }
    func setModified(_ instant: Instant) throws { try real.setModified(instant) }
    func facts() throws -> FileFacts { try real.facts() }
    func clone(from source: any StoreFile) throws -> Bool { try real.clone(from: (source as? UnsyncedFile)?.real ?? source) }
    func nextData(from offset: Int64) throws -> Range<Int64>? { try real.nextData(from: offset) }
    func close() throws { try real.close() }
}
