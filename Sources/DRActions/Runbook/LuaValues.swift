package import DRModel
package import LuaBridge

// Values between Lua and the journal.

extension Value {
    private static let deepest = 50

    /// A table is a list when its keys are 1...n, and a map when they are strings; both at once is an error. Functions become `Value.function`.
    ///
    /// `secrets`: handles of secrets may stand in it; anywhere else they are refused.
    package init(lua value: LuaValue, secrets: Bool = false) throws { try self.init(lua: value, secrets: secrets, depth: 0) }

    private init(lua value: LuaValue, secrets: Bool, depth: Int) throws {
        switch value {
        case .nil: self = .null
        case .boolean(let flag): self = .bool(flag)
        case .integer(let number): self = .integer(Int64(number))
        case .number(let number): self = .number(number)
        case .string(let string):
            guard let text = string.text else { throw DRError(.invalidInput, "a string is not UTF-8") }
            self = .string(text)
        case .function: self = .function
        case .table(let table): self = try Self.read(table, secrets: secrets, depth: depth)
        case .object:
            if let time = value.object(TimeObject.self) {
                self = .instant(time.instant)
            } else if let duration = value.object(DurationObject.self) {
                self = .duration(duration.duration)
            } else if value.object(LuaNull.self) != nil {
                self = .null
            } else if let secret = value.object(SecretObject.self) {
                guard secrets else { throw SecretObject.misuse }
                self = .secret(secret.name)
            } else {
                throw DRError(.invalidInput, "a \(value.typeName) cannot be passed here")
            }
        case .coroutine: throw DRError(.invalidInput, "a coroutine cannot be passed here")
        }
    }

    private static func read(_ table: LuaTable, secrets: Bool, depth: Int) throws -> Value {
        guard depth < deepest else {
            throw DRError(.invalidInput, "the tables are nested more than \(deepest) levels deep, or in a circle")
        }
        var items: [Value] = []
        var members: [String: Value] = [:]
        for (key, member) in try table.pairs() {
            if let name = key.string {
                // What we write ourselves for what a script cannot write: functions, secrets.
                guard name != "$secret" else { throw DRError(.invalidInput, "\"$secret\" is no name for a field") }
                members[name] = try Value(lua: member, secrets: secrets, depth: depth + 1)
            } else if key.integer == items.count + 1 {
                items.append(try Value(lua: member, secrets: secrets, depth: depth + 1))
            } else {
                throw DRError(
                    .invalidInput, "a table has the key \(key.integer.map(String.init) ?? key.typeName), expected names or 1, 2, 3 ...")
            }
        }
        guard items.isEmpty || members.isEmpty else {
            throw DRError(.invalidInput, "a table is both a list and a table of fields (\(members.keys.sorted().joined(separator: ", ")))")
        }
        return items.isEmpty ? .map(members) : .list(items)
    }

    /// The value as the script sees it.
    package func lua(in lua: Lua) throws -> LuaValue {
        switch self {
        case .null: return .nil
        case .bool(let flag): return .boolean(flag)
        case .integer(let number): return .integer(Int(number))
        case .number(let number): return .number(number)
        case .string(let text): return .text(text)
        case .list, .map, .instant, .duration: return try lua.value(of: ScriptValue(value: self))
        }
    }
}

/// A value as the script sees it, built where Lua keeps it: the tables inside it are not handed to us and back.
private struct ScriptValue: LuaWritable {
    let value: Value

    func write(to stack: LuaStack) throws {
        switch value {
        case .null: stack.pushNil()
        case .bool(let flag): stack.push(flag)
        case .integer(let number): stack.push(Int(number))
        case .number(let number): stack.push(number)
        case .string(let text): try stack.push(text)
        case .list(let items): try items.map(ScriptValue.init).write(to: stack)
        case .map(let members): try members.mapValues(ScriptValue.init).write(to: stack)
        case .instant(let instant): try TimeObject(instant).write(to: stack)
        case .duration(let duration): try DurationObject(duration).write(to: stack)
        }
    }
}

extension SourceLocation {
    package init?(_ location: LuaLocation?) {
        guard let location else { return nil }
        self.init(file: location.source, line: location.line)
    }
}
