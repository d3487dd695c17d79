internal import DRModel
internal import DRSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The right to write a journal: a kernel lock on a file beside it, gone when the process dies. The file's text names the process, for messages.
final class WriterLock: Sendable {
    private let descriptor: Lock<Int32?>

    /// Throws `locked` and names the process that holds it.
    init(path: String, journal: String) throws(DRError) {
        let opened = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard opened >= 0 else { throw Self.failure("open", path) }
        guard Self.take(opened) else {
            let reason = errno
            let holder = Self.text(of: opened)
            close(opened)
            guard reason == EWOULDBLOCK else { throw Self.failure("lock", path, reason) }
            throw DRError(
                .locked, "another process writes the journal \(journal)" + (holder.isEmpty ? "" : ": process \(holder)"),
                hint: "wait until it has ended, or use a `state` folder of your own",
                details: ["process": Int64(holder).map(Value.integer) ?? .null])
        }
        Self.write("\(getpid())", to: opened)
        descriptor = Lock(opened)
    }

    // Whoever only asks who holds it holds it for an instant.
    private static func take(_ opened: Int32) -> Bool {
        for _ in 0..<20 {
            if flock(opened, LOCK_EX | LOCK_NB) == 0 { return true }
            guard errno == EWOULDBLOCK else { return false }
            usleep(5000)
        }
        return flock(opened, LOCK_EX | LOCK_NB) == 0
    }

    deinit { release() }

    /// The process that holds it; nil where none does, 0 where it does not say. Throws `io`.
    static func holder(path: String) throws(DRError) -> Int32? {
        let opened = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else {
            guard errno == ENOENT else { throw failure("open", path) }
            return nil
        }
        defer { close(opened) }
        guard flock(opened, LOCK_SH | LOCK_NB) != 0 else {
            flock(opened, LOCK_UN)
            return nil
        }
        guard errno == EWOULDBLOCK else { throw failure("lock", path) }
        return Int32(text(of: opened)) ?? 0
    }

    func release() {
        let held = descriptor.withLock { descriptor in
            defer { descriptor = nil }
            return descriptor
        }
        guard let held else { return }
        // Emptied first, so that no one reads the name of a process that holds nothing.
        ftruncate(held, 0)
        // Not by closing alone: a process that is being started holds a copy of every descriptor until it is another program.
        flock(held, LOCK_UN)
        close(held)
    }

    private static func text(of descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)).prefix { $0 != 10 && $0 != 0 }, as: UTF8.self)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        let bytes = Array(text.utf8) + [10]
        ftruncate(descriptor, 0)
        _ = unsafe pwrite(descriptor, bytes, bytes.count, 0)
    }

    private static func failure(_ operation: String, _ path: String, _ code: Int32 = errno) -> DRError {
        let reason = unsafe String(cString: strerror(code))
        return DRError(code == ENOSPC ? .noSpace : .io, "\(operation) \(path): \(reason)")
    }
}

/// Makes a new file's name durable.
func syncFolder(of path: String) {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = unsafe open(folder.isEmpty ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
}
