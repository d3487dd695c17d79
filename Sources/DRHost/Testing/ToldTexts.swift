internal import DROutside
internal import DRSupport

/// What channels were told last in a simulation, for all its hosts: a live host keeps it in its state folder.
final class ToldTexts: NotificationMemory {
    private let digests = Lock<[String: String]>([:])

    func last(_ channel: String) -> String? { digests.withLock { $0[channel] } }

    func remember(_ digest: String, _ channel: String) { digests.withLock { $0[channel] = digest } }
}
