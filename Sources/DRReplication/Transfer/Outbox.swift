internal import DRModel
internal import DRSupport

/// Objects on their way to a store, a few at a time, while the next ones are made.
///
/// The first that cannot be put ends it: nothing more is taken, and whoever waits gets the error.
final class Outbox: Sendable {
    typealias Parcel = @Sendable (any ObjectStore) async throws -> Void

    private struct State {
        var parcels: [Parcel] = []
        var under = 0
        var closed = false
        var failure: (any Error)?
        var takers: [CheckedContinuation<Void, Never>] = []
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let store: any ObjectStore
    private let lanes: Int
    private let state = Lock(State())

    /// With no lanes whoever asks for room puts everything there is, in order.
    init(_ store: any ObjectStore, lanes: Int) {
        self.store = store
        self.lanes = lanes
    }

    func push(_ parcel: @escaping Parcel) {
        let takers = state.withLock { state in
            state.parcels.append(parcel)
            defer { state.takers = [] }
            return state.takers
        }
        for taker in takers { taker.resume() }
    }

    /// Waits until no more than `most` are left to put.
    func room(_ most: Int) async throws {
        while true {
            if let failure = state.withLock({ $0.failure }) { throw failure }
            if lanes == 0 {
                guard let parcel = take() else { return }
                try await put(parcel)
                continue
            }
            if state.withLock({ $0.parcels.count + $0.under <= most }) { return }
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if state.failure != nil || state.parcels.count + state.under <= most { return true }
                    state.waiting.append(continuation)
                    return false
                }
                if goesOn { continuation.resume() }
            }
        }
    }

    /// No more will come; with a failure, what is there is not put either.
    func close(_ failure: (any Error)? = nil) {
        let woken = state.withLock { state in
            state.closed = true
            if state.failure == nil { state.failure = failure }
            defer {
                state.takers = []
                state.waiting = []
            }
            return state.takers + state.waiting
        }
        for one in woken { one.resume() }
    }

    /// What a lane does until the outbox is closed and empty.
    func serve() async {
        while true {
            if let parcel = take() {
                do { try await put(parcel) } catch { close(error) }
                continue
            }
            if state.withLock({ $0.failure != nil || ($0.closed && $0.parcels.isEmpty) }) { return }
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if state.failure != nil || state.closed || !state.parcels.isEmpty { return true }
                    state.takers.append(continuation)
                    return false
                }
                if goesOn { continuation.resume() }
            }
        }
    }

    private func take() -> Parcel? {
        state.withLock { state in
            guard state.failure == nil, !state.parcels.isEmpty else { return nil }
            state.under += 1
            return state.parcels.removeFirst()
        }
    }

    private func put(_ parcel: Parcel) async throws {
        defer {
            let waiting = state.withLock { state in
                state.under -= 1
                defer { state.waiting = [] }
                return state.waiting
            }
            for one in waiting { one.resume() }
        }
        try await parcel(store)
    }

    static let mostLanes = 3

    /// Runs `body` beside lanes that put what it pushes, each on a thread of its own. Returns when all of it is put.
    static func serving<Result>(
        _ store: any ObjectStore, lanes: Int, _ body: (Outbox) async throws -> Result
    ) async throws -> Result {
        let outbox = Outbox(store, lanes: min(lanes, mostLanes))
        async let first: Void = lane(0, of: outbox)
        async let second: Void = lane(1, of: outbox)
        async let third: Void = lane(2, of: outbox)
        do {
            let result = try await body(outbox)
            try await outbox.room(0)
            outbox.close()
            _ = await (first, second, third)
            return result
        } catch {
            outbox.close(error)
            _ = await (first, second, third)
            throw error
        }
    }

    private static func lane(_ number: Int, of outbox: Outbox) async {
        guard number < outbox.lanes else { return }
        let thread = ThreadExecutor(name: "put-\(number)")
        await withTaskExecutorPreference(thread) { await outbox.serve() }
        thread.stop()
    }
}
