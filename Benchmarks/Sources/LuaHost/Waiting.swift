import Glibc
import LuaBridge

@globalActor actor Scripts {
    static let shared = Scripts()
}

/// What a script costs that waits for an async function: bytes of the process, and of Lua's heap, for each of `count`.
@Scripts enum Waiting {
    private static var parked: [UnsafeContinuation<Void, Never>] = []

    static func measure(_ count: Int, _ script: String) async throws {
        let lua = Lua(limits: LuaLimits(memory: 4 << 30))
        try lua.registerAsync("park") { () async throws -> Int in
            await withUnsafeContinuation { parked.append($0) }
            return 1
        }
        let function = try lua.load(script, name: "bench.lua")
        parked.reserveCapacity(count)
        let (before, heap) = (residentBytes(), lua.memoryUsed)
        var tasks: [Task<Void, any Error>] = []
        tasks.reserveCapacity(count)
        for _ in 0..<count { tasks.append(Task { @Scripts in _ = try await lua.run(function) }) }
        while parked.count < count { await Task.yield() }
        let after = residentBytes()
        print((after - before) / count, (lua.memoryUsed - heap) / count)
        for continuation in parked { continuation.resume() }
        for task in tasks { try await task.value }
    }
}

func residentBytes() -> Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var (total, resident) = (0, 0)
    guard
        withUnsafeMutablePointer(
            to: &total,
            { t in
                withUnsafeMutablePointer(to: &resident) { r in
                    withVaList([t, r]) { vfscanf(file, "%ld %ld", $0) }
                }
            }) == 2
    else { return 0 }
    return resident * Int(getpagesize())
}
