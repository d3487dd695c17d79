internal import DRSupport

/// The value that stands for "nothing" where Lua's nil would leave a hole: in lists, and in JSON.
public struct LuaNull: LuaObject, Hashable, Sendable {
    public static var luaTypeName: String { "null" }

    public init() {}

    public static func describe(_ type: LuaType<LuaNull>) {
        type.equal { _, _ in true }
        type.text { _ in "null" }
    }
}

// What an object says to a name it does not have.
func missingField(_ typeName: String, _ names: [String]) -> (LuaStack) throws -> Int32 {
    { stack in
        guard let name = String.read(from: stack, at: 2) else {
            throw LuaComplaint("\(typeName) has no field of type \(stack.typeName(at: 2))")
        }
        guard name.utf8.count <= 100 else { throw LuaComplaint("\(typeName) has no field of a name of \(name.utf8.count) bytes") }
        throw LuaComplaint("\(typeName) has no field '\(name)'\(Spelling.hint(for: name, in: names))")
    }
}
