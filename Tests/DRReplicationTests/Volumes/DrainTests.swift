import DRModel
import DRSupport
import Glibc
import Testing

@testable import DRReplication

/// After an error nobody is at work any more: whoever clears away would meet them.
@Suite struct DrainTests {
    private struct Broken: Error {}

    /// One that fails and others that take their time, all of them once everything is handed over.
    private func work(_ ended: Lock<Int>, _ submit: (@escaping @Sendable () throws -> Void) throws -> Void) throws {
        let begins = Monitor(false)
        @Sendable func wait() { begins.wait { $0 ? () : nil } }
        try submit {
            wait()
            throw Broken()
        }
        for _ in 0..<6 {
            try submit {
                wait()
                usleep(5000)
                ended.withLock { $0 += 1 }
            }
        }
        begins.change { $0 = true }
    }

    @Test func `I9 reads that are given up have ended`() throws {
        let (workers, ended) = (Workers("drain", width: 3), Lock(0))
        defer { workers.stop() }
        var pending = Pending<Void>(most: 16)
        try work(ended) { try pending.add(workers.submit($0)) }
        #expect(throws: Broken.self) { try pending.finish() }
        pending.abandon()
        #expect(ended.withLock { $0 } == 6)
    }

    @Test func `I9 writes of a volume that is given up have ended, and nothing is closed after them`() throws {
        let world = try VolumeWorld()
        let (workers, ended) = (Workers("drain", width: 3), Lock(0))
        defer { workers.stop() }
        let copy = OwnCopy(VolumeWorld.application, in: world.west, io: world.io, random: world.random)
        let making = Materialisation(world.folder.path / "made", PointReader(copy, workers: workers), io: world.io)
        let closed = Lock(false)
        #expect(throws: Broken.self) {
            try work(ended) { try making.submit($0) }
            try making.end { closed.withLock { $0 = true } }
            try making.finish()
        }
        making.abandon()
        #expect(ended.withLock { $0 } == 6)
        #expect(!closed.withLock { $0 })
    }
}
