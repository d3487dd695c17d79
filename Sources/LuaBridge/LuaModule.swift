/// The source of a module, as the host found it for `require`.
public struct LuaModule: Sendable {
    public var source: String
    /// What errors show before the line.
    public var chunkName: String
    public var isTrusted: Bool

    public init(source: String, chunkName: String, isTrusted: Bool = false) {
        self.source = source
        self.chunkName = chunkName
        self.isTrusted = isTrusted
    }
}

extension Lua {
    /// Makes a value of the host available as `require(name)`.
    public func register(module name: String, _ value: LuaValue) throws(LuaError) {
        guard let key = moduleKey(name) else { throw LuaError(message: "'\(name)' is no module name") }
        loadedModules[key] = value
    }

    // `a.b` and `a/b` are one module. Nothing that could lead out of the modules' folder is a name.
    private func moduleKey(_ name: String) -> String? {
        guard name.utf8.count <= Self.longestModuleName else { return nil }
        let parts = name.split(omittingEmptySubsequences: false) { $0 == "." || $0 == "/" }
        let valid = parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
        }
        return valid ? parts.joined(separator: "/") : nil
    }

    private static let longestModuleName = 200

    func installRequire() {
        // Nothing is on the stack yet and nothing can fail.
        try? register("require") { (call: LuaCall) in
            guard let name = call[0].string else {
                throw LuaComplaint("bad argument #1 to 'require' (string expected, got \(call[0].typeName))")
            }
            return [try call.lua.require(name)]
        }
    }

    private func require(_ name: String) throws -> LuaValue {
        guard let key = moduleKey(name) else {
            throw LuaComplaint(
                "'\(name.prefix(Self.longestModuleName))' is no module name: letters, digits, '_' and '-', parts joined by '.' or '/'")
        }
        if let loaded = loadedModules[key] { return loaded }
        if loadingModules.contains(key) {
            throw LuaComplaint("modules require each other: \((loadingModules + [key]).joined(separator: " -> "))")
        }
        guard let module = try modules?(key) else { throw LuaComplaint("module '\(name)' not found") }
        loadingModules.append(key)
        defer { loadingModules.removeLast() }
        let chunk = try load(module.source, name: module.chunkName, trusted: module.isTrusted)
        let result = try chunk.call([.text(key)]).first ?? .nil
        let value: LuaValue = result.isNil ? .boolean(true) : result
        loadedModules[key] = value
        return value
    }
}
