#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif
internal import CSupport

/// Threads for calls that block (a program that runs, an answer from the network), so that the cooperative pool never waits.
///
/// Threads are made when there is work and none is free, up to a bound; further work waits. A free thread stays for the next call.
package final class BlockingPool: Sendable {
    private struct State {
        var work: [@Sendable () -> Void] = []
        var threads = 0
        var free = 0
        var ended = false
    }

    private let name: String
    private let most: Int
    private let state = Lock(State())
    private let wake: Semaphore

    package init(name: String, threads most: Int) {
        self.name = name
        self.most = most
        wake = Semaphore()
    }

    /// Ends the free threads; those at work end after it.
    deinit { stop() }

    package func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            enqueue { continuation.resume(with: Swift.Result { try body() }) }
        }
    }

    package func stop() {
        let threads = state.withLock { state in
            state.ended = true
            return state.threads
        }
        for _ in 0..<threads { wake.signal() }
    }

    private func enqueue(_ work: @escaping @Sendable () -> Void) {
        let needsThread = state.withLock { state in
            state.work.append(work)
            guard state.free < state.work.count, state.threads < most else { return false }
            state.threads += 1
            return true
        }
        if needsThread { startThread() }
        wake.signal()
    }

    private func startThread() {
        let state = state, wake = wake, name = name
        Thread.start(name: name) {
            while true {
                state.withLock { $0.free += 1 }
                wake.wait()
                let work: (@Sendable () -> Void)? = state.withLock { state in
                    state.free -= 1
                    return state.work.isEmpty ? nil : state.work.removeFirst()
                }
                if let work { work() } else if state.withLock({ $0.ended }) { return }
            }
        }
    }
}

/// A detached system thread.
package enum Thread {
    private final class Body {
        let name: String
        let run: @Sendable () -> Void
        init(_ name: String, _ run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    package static func start(name: String, _ run: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let retained = unsafe Unmanaged.passRetained(Body(name, run)).toOpaque()
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let status = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                #if canImport(Darwin)
                    let body = unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                #else
                    let body = unsafe Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
                #endif
                unsafe csupport_name_thread(body.name)
                body.run()
                return nil
            }, retained)
        unsafe pthread_attr_destroy(&attributes)
        precondition(status == 0, "no thread could be started: error \(status)")
    }
}

/// Counts signals; a wait takes one.
@safe private final class Semaphore: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var count = 0

    init() {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe condition = .allocate(capacity: 1)
        unsafe condition.initialize(to: pthread_cond_t())
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe condition.deallocate()
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    func signal() {
        unsafe pthread_mutex_lock(mutex)
        count += 1
        unsafe pthread_cond_signal(condition)
        unsafe pthread_mutex_unlock(mutex)
    }

    func wait() {
        unsafe pthread_mutex_lock(mutex)
        while count == 0 { unsafe pthread_cond_wait(condition, mutex) }
        count -= 1
        unsafe pthread_mutex_unlock(mutex)
    }
}
