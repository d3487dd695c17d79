/// A strict JSON reader that keeps `1` and `1.0` apart, which a replayed runbook would notice and Foundation's does not.
struct JSONReader {
    private let bytes: [UInt8]
    private var index = 0
    private static let deepest = 200

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func readDocument() throws(DRError) -> Value {
        let value = try readValue(depth: 0)
        skipSpace()
        guard index == bytes.count else { throw wrong("nothing more") }
        return value
    }

    private func wrong(_ expected: String) -> DRError {
        DRError(.invalidInput, "not valid JSON: expected \(expected) at byte \(index)")
    }

    private mutating func skipSpace() {
        while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func readValue(depth: Int) throws(DRError) -> Value {
        guard depth < Self.deepest else { throw wrong("fewer than \(Self.deepest) levels") }
        skipSpace()
        guard index < bytes.count else { throw wrong("a value") }
        switch bytes[index] {
        case UInt8(ascii: "{"): return try readMap(depth: depth)
        case UInt8(ascii: "["): return try readList(depth: depth)
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): return try readWord("true", .bool(true))
        case UInt8(ascii: "f"): return try readWord("false", .bool(false))
        case UInt8(ascii: "n"): return try readWord("null", .null)
        default: return try readNumber()
        }
    }

    private mutating func readWord(_ word: String, _ value: Value) throws(DRError) -> Value {
        guard bytes[index...].starts(with: word.utf8) else { throw wrong("a value") }
        index += word.utf8.count
        return value
    }

    private mutating func readMap(depth: Int) throws(DRError) -> Value {
        index += 1
        var members: [String: Value] = [:]
        skipSpace()
        if take("}") { return .map(members) }
        repeat {
            skipSpace()
            guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else { throw wrong("a key in quotes") }
            let key = try readString()
            skipSpace()
            guard take(":") else { throw wrong("':'") }
            members[key] = try readValue(depth: depth + 1)
            skipSpace()
        } while take(",")
        guard take("}") else { throw wrong("',' or '}'") }
        guard members.count == 1 else { return .map(members) }
        if case .integer(let nanoseconds)? = members["$instant"] { return .instant(Instant(nanosecondsSince1970: nanoseconds)) }
        if case .integer(let nanoseconds)? = members["$duration"] { return .duration(.nanoseconds(nanoseconds)) }
        return .map(members)
    }

    private mutating func readList(depth: Int) throws(DRError) -> Value {
        index += 1
        var items: [Value] = []
        skipSpace()
        if take("]") { return .list(items) }
        repeat {
            items.append(try readValue(depth: depth + 1))
            skipSpace()
        } while take(",")
        guard take("]") else { throw wrong("',' or ']'") }
        return .list(items)
    }

    private mutating func readNumber() throws(DRError) -> Value {
        let start = index
        while index < bytes.count, "+-0123456789.eE".utf8.contains(bytes[index]) { index += 1 }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        guard Self.isNumber(bytes[start..<index]), let number = Double(text), number.isFinite else {
            index = start
            throw wrong("a value")
        }
        return Int64(text).map(Value.integer) ?? .number(number)
    }

    /// JSON's grammar is narrower than Swift's: no `+1`, `01`, `.5` or `1.`.
    private static func isNumber(_ bytes: ArraySlice<UInt8>) -> Bool {
        var rest = bytes
        func digits() -> Int {
            let count = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let isZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, !isZero || whole == 1 else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    private mutating func readString() throws(DRError) -> String {
        index += 1
        var text: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else { throw wrong("UTF-8") }
                return string
            case UInt8(ascii: "\\"): text.append(contentsOf: try readEscape())
            case 0..<0x20: throw wrong("no control character in a string")
            default: text.append(byte)
            }
        }
        throw wrong("a closing quote")
    }

    private mutating func readEscape() throws(DRError) -> [UInt8] {
        guard index < bytes.count else { throw wrong("an escape") }
        let byte = bytes[index]
        index += 1
        switch byte {
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "u"):
            var code = try readHex()
            if (0xD800..<0xDC00).contains(code) {
                guard take("\\"), take("u") else { throw wrong("a second surrogate") }
                let low = try readHex()
                guard (0xDC00..<0xE000).contains(low) else { throw wrong("a second surrogate") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw wrong("a character") }
            return Array(String(Character(scalar)).utf8)
        default: throw wrong("an escape")
        }
    }

    private mutating func readHex() throws(DRError) -> UInt32 {
        guard index + 4 <= bytes.count, let code = UInt32(String(decoding: bytes[index..<index + 4], as: UTF8.self), radix: 16) else {
            throw wrong("four hex digits")
        }
        index += 4
        return code
    }
}
