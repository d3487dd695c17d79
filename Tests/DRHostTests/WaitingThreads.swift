import Foundation
import Testing

/// A suite whose tests wait for processes. They wait on threads of their own: the few of the cooperative pool go on with all other tests meanwhile.
struct WaitingThreads: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await withTaskExecutorPreference(Threads.shared) { try await function() }
    }

    /// Takes up whatever comes in its order, on the first thread that is free.
    private final class Threads: TaskExecutor, @unchecked Sendable {
        /// More than there are processors, because processes wait most of the time; not many more, because some tests look at the time.
        static let shared = Threads(count: 6)

        private let condition = NSCondition()
        private var jobs: [UnownedJob] = []

        private init(count: Int) {
            for _ in 0..<count { Thread.detachNewThread { [self] in while true { next().runSynchronously(on: asUnownedTaskExecutor()) } } }
        }

        func enqueue(_ job: consuming ExecutorJob) {
            let unowned = UnownedJob(job)
            condition.withLock {
                jobs.append(unowned)
                condition.signal()
            }
        }

        private func next() -> UnownedJob {
            condition.withLock {
                while jobs.isEmpty { condition.wait() }
                return jobs.removeFirst()
            }
        }
    }
}

extension Trait where Self == WaitingThreads {
    static var waitsForProcesses: Self { Self() }
}
