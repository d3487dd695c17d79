import LuaBridge

extension Lua {
    /// Runs a chunk called `test.lua` and returns its results.
    @discardableResult
    func run(text: String, _ arguments: [LuaValue] = []) throws -> [LuaValue] {
        try load(text, name: "test.lua").call(arguments)
    }

    /// The chunk as a coroutine.
    func drive(text: String, yields: Bool = false) throws -> LuaCoroutine {
        try coroutine(load(text, name: "test.lua"), yields: yields)
    }
}

struct Unexpected: Error {
    let what: String
}

extension LuaResumption {
    func request<Request>(_ type: Request.Type = Request.self) throws -> Request {
        guard case .suspended(let request) = self, let request = request as? Request else { throw Unexpected(what: "\(self)") }
        return request
    }

    func values() throws -> [LuaValue] {
        guard case .returned(let values) = self else { throw Unexpected(what: "\(self)") }
        return values
    }
}

/// Limits small enough for attacks to end soon, by count alone.
let tight = LuaLimits(memory: 16 << 20, instructions: 2_000_000, processorTime: .seconds(5))
