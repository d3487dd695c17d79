#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// A Lua string of any bytes.
extension Data: LuaReadable, LuaWritable {
    public static var luaTypeName: String { "string" }

    public static func read(from stack: LuaStack, at index: Int) -> Data? {
        unsafe stack.withBytes(at: index) { unsafe Data($0) }
    }

    public func write(to stack: LuaStack) throws {
        try stack.push(bytes: Array(self))
    }
}

/// Seconds since 1970, as Lua's `os.time` counts.
extension Date: LuaReadable, LuaWritable {
    public static var luaTypeName: String { "number of seconds since 1970" }

    public static func read(from stack: LuaStack, at index: Int) throws -> Date? {
        guard let seconds = stack.number(at: index) else { return nil }
        guard seconds.isFinite else { throw LuaComplaint("\(seconds) is no time") }
        return Date(timeIntervalSince1970: seconds)
    }

    public func write(to stack: LuaStack) { stack.push(timeIntervalSince1970) }
}
