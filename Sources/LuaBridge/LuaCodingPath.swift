// A position in a list, counted from 1 as Lua does.
struct IndexKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ index: Int) {
        stringValue = String(index)
        intValue = index
    }

    init(name: String) {
        stringValue = name
        intValue = nil
    }

    init?(stringValue: String) { self.init(name: stringValue) }
    init?(intValue: Int) { self.init(intValue) }
}

extension CodingKey {
    var luaKey: LuaTree.Key {
        intValue.map { .integer($0) } ?? .string(LuaString(stringValue))
    }
}

extension [any CodingKey] {
    // `clusters.east.ports[2]`
    var luaText: String {
        LuaPath.text(of: map(\.luaKey))
    }
}

// Errors of the standard library's own coding (raw values, failed initialisers) get the same form as ours.
func convertingCodingErrors<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as DecodingError {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            throw LuaCodingError(path: context.codingPath.luaText, message: context.debugDescription)
        case .keyNotFound(let key, let context):
            throw LuaCodingError(path: (context.codingPath + [key]).luaText, message: "missing")
        @unknown default: throw error
        }
    } catch let error as EncodingError {
        if case .invalidValue(_, let context) = error {
            throw LuaCodingError(path: context.codingPath.luaText, message: context.debugDescription)
        }
        throw error
    }
}
