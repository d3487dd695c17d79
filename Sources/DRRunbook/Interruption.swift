import DRActions
import DRHost
import DRModel
import DRSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Control-C and `kill` during a run.
///
/// The first control-C asks on a terminal, and puts the run down after what it is doing elsewhere, as TERM does; the second puts it down in any case; the third ends the process
/// at once, and a call that was under way is unknown then. While nothing is under way the first one is the end: all that was done is in the journal.
final class Interruption: Sendable {
    private struct State {
        var run: RunID?
        var handled = 0
        var isAsking = false
        /// By which signal the run was put down.
        var putDown: Int32?
    }

    private let config: String
    private let host: Host
    private let asks: Bool
    private let state = Lock(State())
    private let watch = Lock<Heartbeat?>(nil)

    /// `asks`: somebody at a terminal can answer.
    init(config: String, host: Host, asks: Bool) {
        (self.config, self.host, self.asks) = (config, host, asks)
        Presses.say("\ninterrupted\n")
        Presses.listen()
        watch.withLock { watch in
            watch = Heartbeat(name: "interruption", every: .milliseconds(200)) { [weak self] in
                self?.look()
                return true
            }
        }
    }

    /// The status of a process whose run a signal put down.
    var status: ExitStatus? {
        state.withLock { $0.putDown }.map { $0 == SIGTERM ? .terminated : .interrupted }
    }

    /// Called with each event, so that the run's name is known, and whether anything is under way.
    func note(_ event: RunEvent) {
        if case .runFinished = event.kind {
            Presses.rest()
            return
        }
        let isNew = state.withLock { state in
            defer { state.run = event.run }
            return state.run != event.run
        }
        if isNew { Presses.say("\ninterrupted; to carry on: \(resume(event.run))\n") }
        Presses.work()
    }

    private func resume(_ run: RunID) -> String { "drrunbook resume \(run)\(config == "dr.yaml" ? "" : " --config \(config)")" }

    private func look() {
        let (count, number) = Presses.heard
        state.withLock { state in
            guard let run = state.run else { return }
            if count > state.handled {
                state.handled = count
                if count == 1, asks, number == SIGINT {
                    state.isAsking = true
                    Output.write(
                        "\ninterrupted: [p]ause it (it keeps its locks), [h]old it (it lets them go), or go on? [p/h/g] ", to: STDERR_FILENO
                    )
                    return
                }
                state.isAsking = false
                put(down: run, .hold, by: number, &state)
            } else if state.isAsking, let answer = Self.typed() {
                state.isAsking = false
                switch answer.first {
                case "p": put(down: run, .pause, by: number, &state)
                case "h": put(down: run, .hold, by: number, &state)
                default:
                    state.handled = 0
                    Presses.forget()
                    Output.error("it goes on")
                }
            }
        }
    }

    private func put(down run: RunID, _ kind: StopRequest.Kind, by number: Int32, _ state: inout State) {
        do {
            if state.putDown == nil { try host.ask(kind, of: run) }
            Output.error(
                state.putDown == nil && state.handled < 2
                    ? "run \(run) is put down after what it is doing; to carry on then: \(resume(run))"
                    : "run \(run) is put down after what it is doing; once more ends the process at once, and what is under way is unknown then"
            )
            state.putDown = number
        } catch {
            Output.error(
                "run \(run) cannot be asked to stop: \((error as? DRError)?.message ?? "\(error)"); once more ends the process at once")
        }
    }

    /// A line that stands there to be read; nil while there is none.
    private static func typed() -> String? {
        var standard = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&standard, 1, 0) > 0 else { return nil }
        return readLine(strippingNewline: true)?.lowercased()
    }
}

/// What the signal handler keeps and says: numbers and bytes prepared beforehand, because a handler may neither allocate nor lock.
private enum Presses {
    nonisolated(unsafe) private static var count: sig_atomic_t = 0
    nonisolated(unsafe) private static var number: Int32 = 0
    nonisolated(unsafe) private static var isWorking: sig_atomic_t = 0
    nonisolated(unsafe) private static var bytes: UnsafeMutablePointer<UInt8>?
    nonisolated(unsafe) private static var length = 0

    static var heard: (count: Int, number: Int32) { unsafe (Int(count), number) }
    static func forget() { unsafe count = 0 }
    static func work() { unsafe isWorking = 1 }
    static func rest() { unsafe isWorking = 0 }

    static func listen() {
        // A handler, not an ignored signal: processes started later would inherit that.
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                unsafe Presses.number = number
                unsafe Presses.count += 1
                guard unsafe Presses.isWorking == 0 || Presses.count > 2 else { return }
                Presses.write()
                _exit(128 + number)
            }
        }
    }

    // The words before are not freed: a handler may be reading them. There are two in a process's life.
    static func say(_ text: String) {
        let utf8 = Array(text.utf8)
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: utf8.count)
        unsafe copy.initialize(from: utf8, count: utf8.count)
        unsafe length = 0
        unsafe bytes = copy
        unsafe length = utf8.count
    }

    static func write() {
        guard let bytes = unsafe bytes else { return }
        #if canImport(Glibc)
            _ = unsafe Glibc.write(STDERR_FILENO, bytes, length)
        #elseif canImport(Darwin)
            _ = unsafe Darwin.write(STDERR_FILENO, bytes, length)
        #endif
    }
}
