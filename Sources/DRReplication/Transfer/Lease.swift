internal import DRModel
internal import DRSupport

/// A publication that goes on, as sweeps see it: `APP/leases/SESSION-BEGAN-EXPIRES`, times in nanoseconds since 1970. What it says is its name.
///
/// What was buried after it began waits until it is over: the publication may build upon it. One whose process died is over when it expires. It is for those who look
/// while its process lives, and so no more than announced.
final class Lease: Sendable {
    static let length = Duration.seconds(2 * 86_400)

    struct Name {
        let name: String
        let session: Session
        let began: Instant
        let expires: Instant

        /// A clock that is days ahead binds nobody.
        func isLive(_ now: Instant) -> Bool { now < expires && expires - now <= Lease.length + Lease.length }
    }

    private struct State {
        var current: Name?
        var isRenewing = false
    }

    private let store: any ObjectStore
    private let names: ObjectNames
    private let session: Session
    private let clock: any WallClock
    private let state = Lock(State())

    init(in store: any ObjectStore, _ names: ObjectNames, _ session: Session, _ clock: any WallClock) {
        self.store = store
        self.names = names
        self.session = session
        self.clock = clock
    }

    /// Before anything is listed: what a sweep buries from then on it leaves alone.
    func take() async throws {
        let now = clock.now()
        let taken = names.lease(session, began: now, expires: now + Self.length)
        try await put(taken)
        state.withLock { $0.current = taken }
    }

    /// Those that dead processes of the same session left.
    func takeOver(_ others: some Sequence<Name>) async throws {
        let own = state.withLock { $0.current?.name }
        for other in others where other.session == session && other.name != own { try await store.withdraw(other.name) }
    }

    /// Call it while things are being put. Throws `conflict` when it has expired: then what was listed may be gone.
    func renew() async throws {
        let now = clock.now()
        let due = state.withLock { state -> Name? in
            guard let current = state.current, !state.isRenewing, current.expires - now < Self.length - .seconds(43_200) else { return nil }
            state.isRenewing = true
            return current
        }
        guard let due else { return }
        defer { state.withLock { $0.isRenewing = false } }
        guard now < due.expires else {
            throw DRError(
                .conflict, "a recovery point of \(names.application) took so long that what it builds upon may be swept from \(store.name)",
                hint: "migrate again: what was sent is found again")
        }
        let next = names.lease(session, began: due.began, expires: now + Self.length)
        try await put(next)
        state.withLock { $0.current = next }
        try await store.withdraw(due.name)
    }

    func end() async throws {
        guard let current = state.withLock({ $0.current }) else { return }
        try await store.withdraw(current.name)
    }

    private func put(_ lease: Name) async throws {
        failpoint("publish.lease")
        try await store.announce(lease.name, Array("\(session.text)\n".utf8))
    }
}

extension ObjectNames {
    var leases: String { "\(application)/leases/" }

    func lease(_ session: Session, began: Instant, expires: Instant) -> Lease.Name {
        let name = leases + "\(session.text)-\(began.nanosecondsSince1970)-\(expires.nanosecondsSince1970)"
        return Lease.Name(name: name, session: session, began: began, expires: expires)
    }

    /// Nil for the name of anything else.
    func parseLease(_ name: String) -> Lease.Name? {
        guard name.hasPrefix(leases) else { return nil }
        let parts = name.dropFirst(leases.count).split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, let session = Session(text: String(parts[0])), let began = Int64(parts[1]), let expires = Int64(parts[2])
        else {
            return nil
        }
        return Lease.Name(
            name: name, session: session, began: Instant(nanosecondsSince1970: began), expires: Instant(nanosecondsSince1970: expires))
    }
}
