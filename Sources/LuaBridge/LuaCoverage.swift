internal import CLua
internal import DRSupport

/// Which lines of scripts ran: of all states that are given it, on whatever threads they run.
///
/// A state that notes lines computes some times slower; its limits and what its scripts see stay the same. One that is given none pays nothing.
public final class LuaCoverage: Sendable {
    /// One text that was loaded.
    public struct Chunk: Sendable {
        /// As it was named when it was loaded.
        public let name: String
        /// Each line that can run, and how often it was come to.
        public let hits: [Int: Int]
    }

    private struct Key: Hashable {
        let name: String
        let text: [UInt8]
    }

    private let known = Lock([Key: LuaLines]())

    public init() {}

    /// In the order of their names. A text that was changed and loaded again is a chunk of its own.
    public var chunks: [Chunk] {
        known.withLock { $0.map { Chunk(name: $0.key.name, hits: $0.value.hits) } }.sorted { $0.name < $1.name }
    }

    // The lines of the chunk on top of the stack, by which the state notes them from here on.
    func cover(_ name: String, _ text: [UInt8], on stack: LuaStack, of core: OpaquePointer) throws(LuaError) {
        let key = Key(name: name, text: text)
        let lines = known.withLock { known in
            known[key]
                ?? LuaLines(top: stack).map { made in
                    known[key] = made
                    return made
                }
        }
        guard let lines else { throw LuaError(kind: .runtime, message: "this Lua does not tell which lines can run") }
        unsafe clua_cover(core, "@" + name, lines.pointer)
    }
}

// Counted by C while scripts run, on any thread.
@safe private final class LuaLines: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer

    init?(top stack: LuaStack) {
        guard let pointer = unsafe clua_lines_create(stack.state) else { return nil }
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe clua_lines_destroy(pointer)
    }

    var hits: [Int: Int] {
        var hits: [Int: Int] = [:]
        for line in 1...max(1, unsafe clua_lines_last(pointer)) where unsafe clua_lines_last(pointer) >= line {
            guard unsafe clua_lines_executable(pointer, line) != 0 else { continue }
            hits[Int(line)] = Int(unsafe clua_lines_hits(pointer, line))
        }
        return hits
    }
}
