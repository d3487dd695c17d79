internal import DRSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Room in the write-ahead log, made before it is needed.
///
/// The sync of a commit that makes the log longer has to commit the file's new length, too: in a log that is long enough it is one write in place. SQLite appends by
/// its own count and reads a frame only where its salt and checksum fit, so what stands behind the last one is none, zeros or not.
final class LogRoom: Sendable {
    /// A run with a few actions has no use for it.
    private static let begin: Int64 = 64 << 10
    private static let least: Int64 = 256 << 10
    private static let most: Int64 = 4 << 20

    private struct State {
        var descriptor: Int32 = -1
        /// Up to where there is room. After a checkpoint SQLite begins at the front again, so the log seldom outgrows it.
        var end = LogRoom.begin
    }

    private let path: String
    private let state = Lock(State())

    init(log path: String) { self.path = path }

    deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

    /// Makes the log about twice as long where it has outgrown its room. Nobody else may write it meanwhile.
    func make() {
        state.withLock { state in
            if state.descriptor < 0 { unsafe state.descriptor = open(path, O_WRONLY | O_CLOEXEC) }
            // Not `stat`: a file that was asked for its times gets new ones with the next write, and its sync has more to write.
            let length = Int64(lseek(state.descriptor, 0, SEEK_END))
            guard state.descriptor >= 0, length > state.end else { return }
            let room = min(max(length, Self.least), Self.most)
            // Where the disk is full, whoever commits next is told so.
            state.end = Self.extend(state.descriptor, from: length, by: room) ? length + room : .max
        }
    }

    private static func extend(_ descriptor: Int32, from length: Int64, by room: Int64) -> Bool {
        let zeros = [UInt8](repeating: 0, count: Int(room))
        return unsafe pwrite(descriptor, zeros, zeros.count, off_t(length)) == zeros.count && fsync(descriptor) == 0
    }
}
