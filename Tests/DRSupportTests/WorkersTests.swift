import DRSupport
import Foundation
import Testing

@Suite(.timeLimit(.minutes(1))) struct WorkersTests {
    private struct Broken: Error {}

    /// Blocks those who come until it is opened, and counts them.
    private final class Barrier: Sendable {
        private let state = Monitor((waiting: 0, isOpen: false))

        func pass() {
            state.change { $0.waiting += 1 }
            state.wait { $0.isOpen ? () : nil }
        }

        func await(_ count: Int) { state.wait { $0.waiting >= count ? () : nil } }
        func open() { state.change { $0.isOpen = true } }
    }

    /// Tells when nobody holds it any more.
    private final class Held: Sendable {
        private let gone: Monitor<Int>
        init(_ gone: Monitor<Int>) { self.gone = gone }
        deinit { gone.change { $0 += 1 } }
    }

    @Test func `Without threads work is done at once, in its order, by whoever submits it`() throws {
        let workers = Workers("none", width: 0)
        let order = Lock<[Int]>([])
        let here = pthread_self()
        for number in 1...3 {
            let ticket = workers.submit {
                #expect(pthread_equal(pthread_self(), here) != 0)
                order.withLock { $0.append(number) }
                return number * 10
            }
            #expect(ticket.isDone)
            #expect(order.withLock { $0.last } == number)
            #expect(try ticket.wait() == number * 10)
        }
        #expect(throws: Broken.self) { try workers.submit { throw Broken() }.wait() }
    }

    @Test func `As many pieces are under way at once as it is wide, and no more`() throws {
        let workers = Workers("wide", width: 3)
        defer { workers.stop() }
        let (barrier, under) = (Barrier(), Lock((now: 0, most: 0)))
        let tickets = (1...8).map { number in
            workers.submit {
                under.withLock {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                barrier.pass()
                under.withLock { $0.now -= 1 }
                return number
            }
        }
        barrier.await(3)
        #expect(tickets.allSatisfy { !$0.isDone })
        barrier.open()
        #expect(try tickets.map { try $0.wait() } == Array(1...8))
        #expect(under.withLock { $0.most } == 3)
    }

    @Test func `What fails is told to whoever waits for it, as often as it is asked, and the rest goes on`() throws {
        let workers = Workers("broken", width: 2)
        defer { workers.stop() }
        let failed: Ticket<Int> = workers.submit { throw Broken() }
        let after = (0..<50).map { number in workers.submit { number } }
        #expect(throws: Broken.self) { try failed.wait() }
        #expect(throws: Broken.self) { try failed.wait() }
        #expect(try after.map { try $0.wait() } == Array(0..<50))
    }

    @Test func `What was submitted before the end is done, though nobody waits for it or holds the workers`() throws {
        let done = Monitor(0)
        let barrier = Barrier()
        do {
            let workers = Workers("ended", width: 2)
            for _ in 0..<2 { _ = workers.submit { barrier.pass() } }
            for _ in 0..<600 { _ = workers.submit { done.change { $0 += 1 } } }
        }
        barrier.open()
        done.wait { $0 == 600 ? () : nil }
    }

    @Test func `Work that is done is let go of while the workers stay`() throws {
        let workers = Workers("freed", width: 2)
        defer { workers.stop() }
        let gone = Monitor(0)
        for _ in 0..<700 {
            let held = Held(gone)
            _ = workers.submit { withExtendedLifetime(held) {} }
        }
        gone.wait { $0 == 700 ? () : nil }
    }

    #if os(Linux)
        @Test func `Threads begin with the first pieces of work, one each, and end when they are stopped`() throws {
            let name = "wk-\(getpid() % 10_000)"
            let workers = Workers(name, width: 2)
            #expect(Self.threads(named: name) == 0)
            let barrier = Barrier()
            var tickets = [workers.submit { barrier.pass() }]
            barrier.await(1)
            #expect(Self.threads(named: name) == 1)
            tickets += (0..<5).map { _ in workers.submit { barrier.pass() } }
            barrier.await(2)
            #expect(Self.threads(named: name) == 2)
            barrier.open()
            for ticket in tickets { try ticket.wait() }
            workers.stop()
            while Self.threads(named: name) > 0 { sched_yield() }
        }

        private static func threads(named name: String) -> Int {
            let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
            return tasks.count { task in
                // One that has ended meanwhile has no name any more.
                (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)) == name + "\n"
            }
        }
    #endif
}
