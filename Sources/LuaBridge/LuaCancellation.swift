internal import CLua

/// A flag that ends a running script from any thread. It stays set until `reset`: every later call ends at once too.
@safe public final class LuaCancellation: @unchecked Sendable {
    let flag: UnsafeMutableRawPointer

    public init() {
        unsafe flag = clua_flag_create()
    }

    deinit {
        unsafe clua_flag_destroy(flag)
    }

    public func cancel() {
        unsafe clua_flag_set(flag, 1)
    }

    public func reset() {
        unsafe clua_flag_set(flag, 0)
    }

    public var isCancelled: Bool {
        unsafe clua_flag_get(flag) != 0
    }
}
