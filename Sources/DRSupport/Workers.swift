#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Threads that share the work of one operation: hashing, compressing, reading and writing files. They wait for nothing else.
///
/// With no threads the work is done at once by whoever submits it, in order: what a test breaks it can break again.
package final class Workers: Sendable {
    private struct State {
        var work: [@Sendable () -> Void] = []
        var next = 0
        var ended = false
        /// Threads that were started.
        var threads = 0
    }

    package let width: Int
    private let name: String
    private let state: Monitor<State>

    /// One thread for each processor.
    package static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// The first pieces of work start the threads, one each: who submits nothing pays for none.
    package init(_ name: String, width: Int) {
        self.name = name
        self.width = width
        state = Monitor(State())
    }

    deinit { stop() }

    /// Ends the threads when everything submitted is done.
    package func stop() { state.change { $0.ended = true } }

    package func submit<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) -> Ticket<Result> {
        let ticket = Ticket<Result>()
        if width == 0 {
            ticket.settle(Swift.Result { try body() })
        } else {
            let begins = state.change { state in
                state.work.append { ticket.settle(Swift.Result { try body() }) }
                guard state.threads < width else { return false }
                state.threads += 1
                return true
            }
            if begins { start() }
        }
        return ticket
    }

    private func start() {
        let state = state
        Thread.start(name: name) {
            while let work = Self.next(state) { work() }
        }
    }

    private static func next(_ state: Monitor<State>) -> (@Sendable () -> Void)? {
        state.wait { state -> (@Sendable () -> Void)?? in
            if state.next < state.work.count {
                let work = state.work[state.next]
                state.next += 1
                if state.next > 256 || state.next == state.work.count {
                    state.work.removeFirst(state.next)
                    state.next = 0
                }
                return .some(work)
            }
            return state.ended ? .some(nil) : nil
        }
    }
}

/// What submitted work will have given.
package final class Ticket<Value: Sendable>: Sendable {
    private let result = Monitor<Result<Value, any Error>?>(nil)

    fileprivate func settle(_ value: Result<Value, any Error>) { result.change { $0 = value } }

    package var isDone: Bool { result.look { $0 != nil } }

    /// Blocks until it is there.
    package func wait() throws -> Value { try result.wait { $0 }.get() }
}

/// A value that threads change and wait for.
@safe package final class Monitor<Value: Sendable>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var value: Value

    package init(_ value: Value) {
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe changed = .allocate(capacity: 1)
        unsafe changed.initialize(to: pthread_cond_t())
        unsafe pthread_cond_init(changed, nil)
        self.value = value
    }

    deinit {
        unsafe pthread_cond_destroy(changed)
        unsafe changed.deallocate()
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    package func change<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(changed)
            unsafe pthread_mutex_unlock(mutex)
        }
        return try body(&value)
    }

    /// As `change`, where nothing changes: nobody is woken.
    package func look<Result>(_ body: (Value) throws -> Result) rethrows -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(value)
    }

    /// Blocks until `body` gives something.
    package func wait<Result>(_ body: (inout Value) -> Result?) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            unsafe pthread_cond_wait(changed, mutex)
        }
    }
}
