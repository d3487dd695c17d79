internal import CSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A named place where a test can stop the world.
///
/// Off, it costs one load. `DRRUNBOOK_FAILPOINT=NAME[:N]` in the environment kills the process (as `kill -9`) when NAME is passed for the N-th time
/// (the first, without N); the name `*` counts every failpoint. With `DRRUNBOOK_FAILPOINT_STOPS=1` it is stopped there instead (as
/// `kill -STOP`), to be woken later. `DRRUNBOOK_FAILPOINT_LOG=FILE` appends each name that is passed, so that a test can enumerate them.
package func failpoint(_ name: StaticString) {
    guard let armed = Failpoints.armed else { return }
    armed.pass(name.description)
}

package final class Failpoints: Sendable {
    package static let armed: Failpoints? = {
        let target = environment("DRRUNBOOK_FAILPOINT")
        let log = environment("DRRUNBOOK_FAILPOINT_LOG")
        let stops = environment("DRRUNBOOK_FAILPOINT_STOPS") != nil
        return target == nil && log == nil ? nil : Failpoints(target: target, log: log, stops: stops)
    }()

    private let name: String?
    private let log: String?
    private let left: Lock<Int>
    private let stops: Bool

    init(target: String?, log: String?, stops: Bool = false) {
        self.stops = stops
        let parts = target?.split(separator: ":", maxSplits: 1).map(String.init) ?? []
        name = parts.first
        left = Lock(parts.count > 1 ? Int(parts[1]) ?? 1 : 1)
        self.log = log
    }

    func pass(_ passed: String) {
        if let log { append(passed + "\n", to: log) }
        guard let name, name == "*" || name == passed else { return }
        let due = left.withLock { left in
            left -= 1
            return left == 0
        }
        guard due else { return }
        if stops { csupport_stop_self() } else { csupport_kill_self() }
    }

    private func append(_ line: String, to path: String) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        guard descriptor >= 0 else { return }
        let bytes = Array(line.utf8)
        _ = unsafe write(descriptor, bytes, bytes.count)
        close(descriptor)
    }

    private static func environment(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }
}
