internal import DRModel
internal import LuaBridge

// Times and durations as values of the language: they compare and add up among themselves, and never with text.

struct TimeObject: LuaObject {
    static let luaTypeName = "time"
    let instant: Instant

    init(_ instant: Instant) { self.instant = instant }

    static func describe(_ type: LuaType<TimeObject>) {
        type.equal { $0.instant == $1.instant }
        type.order { $0.instant < $1.instant }
        type.text { $0.instant.description }
        type.method("seconds") { (time: TimeObject) in Double(time.instant.nanosecondsSince1970) / 1e9 }
        type.metamethod(.add) { call in
            guard let time = call[0].object(TimeObject.self), let duration = try DurationObject(operand: call[1]) else {
                throw DRError(.invalidInput, "a time plus a duration is a time; got \(call[0].typeName) + \(call[1].typeName)")
            }
            return [try call.lua.value(of: TimeObject(time.instant + duration.duration))]
        }
        type.metamethod(.subtract) { call in
            guard let time = call[0].object(TimeObject.self) else {
                throw DRError(.invalidInput, "a time cannot be subtracted from a \(call[0].typeName)")
            }
            if let other = call[1].object(TimeObject.self) { return [try call.lua.value(of: DurationObject(time.instant - other.instant))] }
            guard let duration = try DurationObject(operand: call[1]) else {
                throw DRError(.invalidInput, "from a time a time or a duration is subtracted, got a \(call[1].typeName)")
            }
            return [try call.lua.value(of: TimeObject(time.instant - duration.duration))]
        }
    }
}

struct DurationObject: LuaObject {
    static let luaTypeName = "duration"
    let duration: Duration

    init(_ duration: Duration) { self.duration = duration }

    /// An operand: a duration, or text such as "15m".
    init?(operand value: LuaValue) throws {
        if let object = value.object(DurationObject.self) {
            self = object
        } else if let text = value.string {
            duration = try Duration(parsing: text)
        } else {
            return nil
        }
    }

    static func describe(_ type: LuaType<DurationObject>) {
        type.equal { $0.duration == $1.duration }
        type.order { $0.duration < $1.duration }
        type.text { $0.duration.text }
        type.method("seconds") { (duration: DurationObject) in duration.duration.inSeconds }
        type.metamethod(.add) { call in [try combine(call, +)] }
        type.metamethod(.subtract) { call in [try combine(call, -)] }
    }

    private static func combine(_ call: LuaCall, _ operation: (Duration, Duration) -> Duration) throws -> LuaValue {
        guard let a = try DurationObject(operand: call[0]), let b = try DurationObject(operand: call[1]) else {
            throw DRError(.invalidInput, "expected two durations, got \(call[0].typeName) and \(call[1].typeName)")
        }
        return try call.lua.value(of: DurationObject(operation(a.duration, b.duration)))
    }
}
