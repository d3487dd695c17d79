package import DRModel
internal import DRSupport

/// What happened in a simulation, in order, with the time of each: what a person reads when a case fails, and what one seed gives again.
package final class Timeline: Sendable {
    package struct Line: Hashable, Sendable {
        package let time: Instant
        /// `run`, `fault`, `world`, `log` ...
        package let kind: String
        package let text: String
    }

    private struct State {
        var lines: [Line] = []
        /// Every call of a port, counted by place and operation; and whether it changed something.
        var calls: [PortCall: Int] = [:]
        /// Over all that happened, calls that only asked included.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    }

    private let state = Lock(State())

    package func note(_ kind: String, _ text: String, at time: Instant) {
        state.withLock { state in
            state.lines.append(Line(time: time, kind: kind, text: text))
            Self.add("\(time) \(kind) \(text)", to: &state.hash)
        }
    }

    func passed(_ call: PortCall) {
        state.withLock { state in
            state.calls[call, default: 0] += 1
            Self.add("\(call.place).\(call.operation)", to: &state.hash)
        }
    }

    private static func add(_ text: String, to hash: inout UInt64) {
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    }

    package var lines: [Line] { state.withLock { $0.lines } }
    package var calls: [PortCall: Int] { state.withLock { $0.calls } }

    /// 16 hex digits: equal where the same things happened in the same order at the same times.
    package var trace: String {
        let text = String(state.withLock { $0.hash }, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    /// The last lines, as people read them: `02:00:12  stop ledger`.
    package func text(last count: Int = .max, before end: Int? = nil) -> [String] {
        let lines = lines
        let upTo = lines.prefix(end ?? lines.count)
        return upTo.suffix(count).map { line in
            let time = line.time.description
            return "\(time.dropFirst(11).prefix(8))  \(line.kind == "run" ? "" : line.kind + ": ")\(line.text)"
        }
    }
}
