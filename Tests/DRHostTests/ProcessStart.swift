import Foundation

extension Process {
    private static let one = NSLock()

    /// Starts it, one at a time: Foundation hears of a child's end by a socket, and another child that is started in the same instant would hold that open. Whoever waits for the
    /// first would then wait for the second.
    func start() throws { try Self.one.withLock { try run() } }
}
