internal import DRModel
internal import DRSupport

/// The faults of a simulation, and how often each place was passed.
package final class FaultPlan: Sendable {
    private struct State {
        var faults: [(fault: Fault, passed: Int, struck: Bool)] = []
        /// Places that were passed, in order, each once.
        var places: [String] = []
        var known: Set<String> = []
    }

    private let state = Lock(State())

    package init(_ faults: [Fault] = []) { for fault in faults { add(fault) } }

    package func add(_ fault: Fault) { state.withLock { $0.faults.append((fault, 0, false)) } }

    /// What goes wrong now that this place is passed.
    package func strike(_ place: FaultPlace) -> [Fault] {
        state.withLock { state in
            if state.known.insert(place.text).inserted { state.places.append(place.text) }
            var struck: [Fault] = []
            for index in state.faults.indices where place.matches(state.faults[index].fault) {
                state.faults[index].passed += 1
                let (fault, passed) = (state.faults[index].fault, state.faults[index].passed)
                guard passed == fault.nth || (fault.again && passed > fault.nth) else { continue }
                state.faults[index].struck = true
                struck.append(fault)
            }
            return struck
        }
    }

    /// Faults whose place nothing ever came by.
    package var unused: [Fault] { state.withLock { $0.faults.filter { !$0.struck }.map(\.fault) } }
    package var places: [String] { state.withLock { $0.places } }
}
