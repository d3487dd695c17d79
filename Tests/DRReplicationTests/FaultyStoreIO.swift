import DRModel
import DRReplication
import DRSupport
import Glibc

/// What a process sees when it is killed: nothing works any more.
struct Killed: Error {}

/// Real files with a fault: counts every operation that changes something and breaks at the chosen one.
///
/// Run once without a fault to learn `operations`, then once for each number. A sync is only written down: the power is cut in the books, not at the wall.
final class FaultyStoreIO: StoreIO, Sendable {
    enum Fault: Sendable {
        /// The process dies instead of the operation. Everything after throws `Killed`, reads and clean-up included.
        case killedBefore
        /// The process dies right after the operation.
        case killedAfter
        /// The machine dies instead of the operation: what was not synced is lost, file contents and names alike.
        case powerCut
        /// The machine dies right after the operation: what was done is lost unless it was a sync.
        case powerCutAfter
        /// The operation is done, but its caller is told that it failed.
        case answerLost(Int32)
        /// This one operation fails, later ones work.
        case fails(Int32)
        /// This operation and every later one that needs room fails with ENOSPC; removing works.
        case diskFull
    }

    private struct State {
        var operations: [String] = []
        var dead = false
        var full = false
        // For the power cut: contents and names that no sync has made durable yet, oldest first.
        var dirty: Set<StorePath> = []
        var names: [Pending] = []
        var mount: String?
        var liesAboutHoles = false
        var fullBelow: String?
        var free: ByteCount?
        var meanwhile: (@Sendable (String) throws -> Void)?
        var bytesRead: Int64 = 0
        var open = 0
        var mostOpen = 0
    }

    private struct Pending {
        let folder: StorePath
        let undo: @Sendable (any StoreIO) -> Void
    }

    let real: any StoreIO
    private let fault: Fault?
    private let position: Int
    private let state = Lock(State())

    /// `position` counts from 1.
    init(_ real: any StoreIO = SystemStoreIO(), fault: Fault? = nil, at position: Int = 0) {
        self.real = real
        self.fault = fault
        self.position = position
    }

    /// The next process on the same machine: what the dead one had not synced is still not safe from a power cut.
    func restarted() -> FaultyStoreIO {
        let next = FaultyStoreIO(real)
        let (dirty, names) = state.withLock { ($0.dirty, $0.names) }
        next.state.withLock { state in
            state.dirty = dirty
            state.names = names
        }
        return next
    }

    /// What was done so far, one line an operation that changes something.
    var operations: [String] { state.withLock { $0.operations } }
    var isDead: Bool { state.withLock { $0.dead } }
    /// Of all files.
    var bytesRead: Int64 { state.withLock { $0.bytesRead } }
    /// How many files were open at once.
    var mostOpen: Int { state.withLock { $0.mostOpen } }

    func didRead(_ count: Int) { state.withLock { $0.bytesRead += Int64(count) } }
    func didOpen(_ change: Int) {
        state.withLock { state in
            state.open += change
            state.mostOpen = max(state.mostOpen, state.open)
        }
    }

    /// The fault has struck.
    var hasStruck: Bool { operations.count >= position && position > 0 }

    func mutate<Result>(_ name: String, _ path: StorePath, needsRoom: Bool = true, _ body: () throws -> Result) throws -> Result {
        let (count, dead, full) = state.withLock { state in
            if !state.dead { state.operations.append("\(name) \(path)") }
            return (state.operations.count, state.dead, state.full)
        }
        if dead { throw Killed() }
        try state.withLock { $0.meanwhile }?("\(name) \(path)")
        if needsRoom, let below = state.withLock({ $0.fullBelow }), path.description.contains(below) { throw failure(ENOSPC, name, path) }
        if full, needsRoom { throw failure(ENOSPC, name, path) }
        guard count == position, let fault else { return try body() }
        switch fault {
        case .killedBefore:
            state.withLock { $0.dead = true }
            throw Killed()
        case .killedAfter:
            _ = try body()
            state.withLock { $0.dead = true }
            throw Killed()
        case .powerCut:
            cutPower()
            throw Killed()
        case .powerCutAfter:
            _ = try body()
            cutPower()
            throw Killed()
        case .answerLost(let code):
            _ = try body()
            throw failure(code, name, path)
        case .fails(let code):
            throw failure(code, name, path)
        case .diskFull:
            state.withLock { $0.full = true }
            guard needsRoom else { return try body() }
            throw failure(ENOSPC, name, path)
        }
    }

    func observe<Result>(_ body: () throws -> Result) throws -> Result {
        if state.withLock({ $0.dead }) { throw Killed() }
        return try body()
    }

    private func failure(_ code: Int32, _ name: String, _ path: StorePath) -> IOFailure {
        IOFailure(code: code, operation: name, path: path, reason: String(cString: strerror(code)))
    }

    // MARK: What a power cut takes away

    /// Now, between two operations.
    func cutPower() {
        let (dirty, names) = state.withLock { state in
            state.dead = true
            return (state.dirty, state.names)
        }
        for path in dirty {
            guard let file = try? real.open(path, .update, permissions: 0) else { continue }
            try? file.truncate(to: 0)
            try? file.close()
        }
        for name in names.reversed() { name.undo(real) }
    }

    /// Nil for what a file was that no test removes.
    private func bringingBack(_ path: StorePath) -> (@Sendable (any StoreIO) -> Void)? {
        guard let facts = try? real.facts(path) else { return nil }
        switch facts.kind {
        case .symlink:
            guard let target = try? real.symlinkTarget(path) else { return nil }
            return { real in
                guard (try? real.makeSymlink(path, to: target)) != nil else { return }
                Self.describe(path, facts, real)
            }
        case .file:
            // What no sync has reached is not there after a power cut, whatever its name is.
            let isDirty = state.withLock { $0.dirty.contains(path) }
            guard let bytes = isDirty ? [] : try? read(path, facts.size) else { return nil }
            return { real in
                guard let file = try? real.open(path, .create, permissions: facts.mode) else { return }
                try? bytes.withUnsafeBytes { try file.write(at: 0, $0) }
                try? file.close()
                Self.describe(path, facts, real)
            }
        default: return nil
        }
    }

    private func read(_ path: StorePath, _ size: Int64) throws -> [UInt8] {
        let file = try real.open(path, .read, permissions: 0)
        defer { try? file.close() }
        var bytes = [UInt8](repeating: 0, count: Int(size))
        _ = try bytes.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
        return bytes
    }

    private static func describe(_ path: StorePath, _ facts: FileFacts, _ real: any StoreIO) {
        try? real.setOwner(path, owner: facts.owner, group: facts.group)
        try? real.setPermissions(path, facts.mode)
        try? real.setModified(path, facts.modified)
    }

    /// Files and folders that a power cut now would change.
    var unsynced: Set<StorePath> { state.withLock { $0.dirty.union($0.names.map(\.folder)) } }
    func wrote(_ path: StorePath) { state.withLock { _ = $0.dirty.insert(path) } }
    func synced(_ path: StorePath) { state.withLock { _ = $0.dirty.remove(path) } }

    private func named(_ path: StorePath, undo: @escaping @Sendable (any StoreIO) -> Void) {
        state.withLock { $0.names.append(Pending(folder: path.folder, undo: undo)) }
    }

    // MARK: StoreIO

    func facts(_ path: StorePath) throws -> FileFacts? { try observe { try real.facts(path) } }
    func list(_ folder: StorePath) throws -> [[UInt8]] { try observe { try real.list(folder) } }

    func open(_ path: StorePath, _ mode: OpenMode, permissions: UInt32) throws -> any StoreFile {
        if mode != .create { try state.withLock { $0.meanwhile }?("\(mode) \(path)") }
        guard mode == .create else {
            return FaultyFile(try observe { try real.open(path, mode, permissions: permissions) }, path: path, io: self)
        }
        return try mutate("create", path) {
            let file = try real.open(path, mode, permissions: permissions)
            wrote(path)
            named(path) { try? $0.removeFile(path) }
            return FaultyFile(file, path: path, io: self)
        }
    }

    func makeFolder(_ path: StorePath, permissions: UInt32) throws {
        try mutate("makeFolder", path) {
            try real.makeFolder(path, permissions: permissions)
            named(path) { Self.removeAll(path, $0) }
        }
    }

    func makeSymlink(_ path: StorePath, to target: [UInt8]) throws {
        try mutate("makeSymlink", path) {
            try real.makeSymlink(path, to: target)
            named(path) { try? $0.removeFile(path) }
        }
    }

    func makeHardLink(_ path: StorePath, to existing: StorePath) throws {
        try mutate("makeHardLink", path) {
            try real.makeHardLink(path, to: existing)
            named(path) { try? $0.removeFile(path) }
        }
    }

    func symlinkTarget(_ path: StorePath) throws -> [UInt8] { try observe { try real.symlinkTarget(path) } }

    // What was replaced cannot come back here: a lost `replace` is a lost new name with the old one gone, which is worse than the truth.
    func rename(_ from: StorePath, _ to: StorePath, _ mode: RenameMode) throws {
        try mutate("rename", to, needsRoom: false) {
            try real.rename(from, to, mode)
            let prefix = from.bytes + [UInt8(ascii: "/")]
            state.withLock { state in
                for path in state.dirty where path == from || path.bytes.starts(with: prefix) {
                    state.dirty.remove(path)
                    state.dirty.insert(StorePath(bytes: to.bytes + path.bytes.dropFirst(from.bytes.count)))
                }
            }
            named(to) { try? $0.rename(to, from, mode == .exchange ? .exchange : .keep) }
        }
    }

    func removeFile(_ path: StorePath) throws {
        try mutate("removeFile", path, needsRoom: false) {
            let bringBack = bringingBack(path)
            try real.removeFile(path)
            synced(path)
            if let bringBack { named(path, undo: bringBack) }
        }
    }

    // What was done in it and is not durable goes where it goes: another folder of that name is another one.
    func removeFolder(_ path: StorePath) throws {
        try mutate("removeFolder", path, needsRoom: false) {
            let facts = try real.facts(path)
            try real.removeFolder(path)
            let within = state.withLock { state in
                let within = state.names.filter { $0.folder.isWithin(path) }
                state.names.removeAll { $0.folder.isWithin(path) }
                return within
            }
            named(path) { real in
                guard let facts, (try? real.makeFolder(path, permissions: facts.mode)) != nil else { return }
                for name in within.reversed() { name.undo(real) }
                Self.describe(path, facts, real)
            }
        }
    }
    func setPermissions(_ path: StorePath, _ mode: UInt32) throws {
        try mutate("setPermissions", path) { try real.setPermissions(path, mode) }
    }
    func setOwner(_ path: StorePath, owner: UInt32, group: UInt32) throws {
        try mutate("setOwner", path) { try real.setOwner(path, owner: owner, group: group) }
    }
    func setModified(_ path: StorePath, _ instant: Instant) throws {
        try mutate("setModified", path) { try real.setModified(path, instant) }
    }
    func extendedAttributes(_ path: StorePath) throws -> [(name: [UInt8], value: [UInt8])] {
        try observe { try real.extendedAttributes(path) }
    }
    func removeExtendedAttribute(_ path: StorePath, name: [UInt8]) throws {
        try mutate("removeExtendedAttribute", path) { try real.removeExtendedAttribute(path, name: name) }
    }
    func setExtendedAttribute(_ path: StorePath, name: [UInt8], value: [UInt8]) throws {
        try mutate("setExtendedAttribute", path) { try real.setExtendedAttribute(path, name: name, value: value) }
    }

    func syncFolder(_ path: StorePath) throws {
        try mutate("syncFolder", path, needsRoom: false) {
            guard try real.facts(path) != nil else { throw failure(ENOENT, "syncFolder", path) }
            state.withLock { state in state.names.removeAll { $0.folder == path } }
        }
    }

    func syncFilesystem(_ path: StorePath) throws {
        try mutate("syncFilesystem", path, needsRoom: false) {
            state.withLock { state in
                state.names.removeAll()
                state.dirty.removeAll()
            }
        }
    }

    func mountIdentity(_ path: StorePath) -> String? {
        let mounted = state.withLock { $0.mount } ?? real.mountIdentity(path)
        return mounted?.isEmpty == true ? nil : mounted
    }

    /// From now on the filesystem calls everything a hole.
    func lieAboutHoles() { state.withLock { $0.liesAboutHoles = true } }
    var lies: Bool { state.withLock { $0.liesAboutHoles } }
    /// Somebody else does this right before each change and each opening (`read`, `update`), or breaks it.
    func meanwhile(_ body: @escaping @Sendable (String) throws -> Void) { state.withLock { $0.meanwhile = body } }
    /// What is said to be free.
    func limit(to free: ByteCount) { state.withLock { $0.free = free } }
    func freeSpace(_ path: StorePath) throws -> ByteCount? { state.withLock { $0.free } }
    /// What needs room fails where the path holds this text.
    func fill(below text: String) { state.withLock { $0.fullBelow = text } }

    /// As if everything were on another mount from now on, or after a reboot; empty: as if the system did not tell.
    func mountAnew(_ identity: String) { state.withLock { $0.mount = identity } }

    func filesystemType(_ path: StorePath) throws -> String { try observe { try real.filesystemType(path) } }
    func lock(_ path: StorePath, wait: Bool) throws -> (any StoreLock)? { try observe { try real.lock(path, wait: wait) } }

    static func removeAll(_ path: StorePath, _ io: any StoreIO) {
        guard let facts = try? io.facts(path) else { return }
        guard facts.kind == .folder else {
            try? io.removeFile(path)
            return
        }
        for name in (try? io.list(path)) ?? [] { removeAll(path / name, io) }
        try? io.removeFolder(path)
    }
}

extension StorePath {
    /// The folder itself or something in it, at any depth.
    fileprivate func isWithin(_ folder: StorePath) -> Bool {
        self == folder || bytes.starts(with: folder.bytes + [UInt8(ascii: "/")])
    }
}
