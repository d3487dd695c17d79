internal import CSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A named thread of its own that runs the jobs of actors (or tasks) bound to it, strictly in the order they come.
///
/// Blocking calls belong here, never on the cooperative pool, whose few threads everything else shares.
@safe package final class ThreadExecutor: SerialExecutor, TaskExecutor, @unchecked Sendable {
    private struct State {
        var jobs: [UnownedJob] = []
        var next = 0
        var stopping = false
        var idle: (@Sendable () -> Bool)?
    }

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>
    private var state = State()
    private let name: String

    /// Starts the thread. `stackSize` in bytes: Lua and C code nested in it need room.
    package init(name: String, stackSize: Int = 8 << 20) {
        self.name = name
        unsafe mutex = .allocate(capacity: 1)
        unsafe mutex.initialize(to: pthread_mutex_t())
        unsafe pthread_mutex_init(mutex, nil)
        unsafe wake = .allocate(capacity: 1)
        unsafe wake.initialize(to: pthread_cond_t())
        unsafe pthread_cond_init(wake, nil)
        startThread(stackSize: stackSize)
    }

    // The thread holds the executor strongly until `stop`, so this runs only after it has ended.
    deinit {
        unsafe pthread_cond_destroy(wake)
        unsafe wake.deallocate()
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Ends the thread when its queue is empty. Jobs that come later are lost: call it when the owner is done.
    package func stop() {
        unsafe pthread_mutex_lock(mutex)
        state.stopping = true
        unsafe pthread_cond_signal(wake)
        unsafe pthread_mutex_unlock(mutex)
    }

    /// `body` is called, on the thread, whenever nothing is left to do; true = there is something now. A simulation moves its time there.
    package func whenIdle(_ body: (@Sendable () -> Bool)?) {
        unsafe pthread_mutex_lock(mutex)
        state.idle = body
        unsafe pthread_cond_signal(wake)
        unsafe pthread_mutex_unlock(mutex)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        unsafe pthread_mutex_lock(mutex)
        state.jobs.append(unowned)
        unsafe pthread_cond_signal(wake)
        unsafe pthread_mutex_unlock(mutex)
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        unsafe UnownedSerialExecutor(ordinary: self)
    }

    private func startThread(stackSize: Int) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, stackSize)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let retained = unsafe Unmanaged.passRetained(self).toOpaque()
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        let status = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                #if canImport(Darwin)
                    let executor = unsafe Unmanaged<ThreadExecutor>.fromOpaque(argument).takeRetainedValue()
                #else
                    let executor = unsafe Unmanaged<ThreadExecutor>.fromOpaque(argument!).takeRetainedValue()
                #endif
                executor.serve()
                return nil
            }, retained)
        unsafe pthread_attr_destroy(&attributes)
        precondition(status == 0, "no thread could be started: error \(status)")
    }

    private func serve() {
        unsafe csupport_name_thread(name)
        while let job = nextJob() {
            unsafe job.runSynchronously(
                isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        }
    }

    private func nextJob() -> UnownedJob? {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while state.next == state.jobs.count {
            if state.stopping { return nil }
            state.jobs.removeAll(keepingCapacity: true)
            state.next = 0
            if let idle = state.idle {
                unsafe pthread_mutex_unlock(mutex)
                let goesOn = idle()
                unsafe pthread_mutex_lock(mutex)
                if goesOn || state.next < state.jobs.count || state.stopping { continue }
            }
            unsafe pthread_cond_wait(wake, mutex)
        }
        let job = state.jobs[state.next]
        state.next += 1
        return job
    }
}
