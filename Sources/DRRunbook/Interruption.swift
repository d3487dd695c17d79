import DRModel
import DRSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Control-C and `kill` during a run: nothing has to be tidied up, because all that was done is in the journal; the way on is said and the process ends
/// with 130 or 143.
final class Interruption: Sendable {
    private let config: String
    private let told = Lock<RunID?>(nil)

    init(config: String) {
        self.config = config
        Words.set("\ninterrupted\n")
        // A handler, not an ignored signal: processes started later would inherit that.
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Words.write()
                _exit(128 + number)
            }
        }
    }

    /// Called with each event, so that the run's name is known.
    func watch(_ event: RunEvent) {
        let isNew = told.withLock { told in
            defer { told = event.run }
            return told != event.run
        }
        if isNew {
            Words.set("\ninterrupted; to carry on: drrunbook resume \(event.run)\(config == "dr.yaml" ? "" : " --config \(config)")\n")
        }
    }
}

/// What the signal handler says: bytes prepared beforehand, because a handler may neither allocate nor lock.
private enum Words {
    nonisolated(unsafe) private static var bytes: UnsafeMutablePointer<UInt8>?
    nonisolated(unsafe) private static var count = 0

    // The words before are not freed: a handler may be reading them. There are two in a process's life.
    static func set(_ text: String) {
        let utf8 = Array(text.utf8)
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: utf8.count)
        unsafe copy.initialize(from: utf8, count: utf8.count)
        unsafe count = 0
        unsafe bytes = copy
        unsafe count = utf8.count
    }

    static func write() {
        guard let bytes = unsafe bytes else { return }
        #if canImport(Glibc)
            _ = unsafe Glibc.write(STDERR_FILENO, bytes, count)
        #elseif canImport(Darwin)
            _ = unsafe Darwin.write(STDERR_FILENO, bytes, count)
        #endif
    }
}
