extension Value {
    /// Canonical JSON: keys in bytewise order, no white space, the same bytes for the same value. NaN and infinities become null.
    public func json(_ style: ValueStyle = .tagged) -> String {
        var text = ""
        write(to: &text, style)
        return text
    }

    private func write(to text: inout String, _ style: ValueStyle) {
        switch self {
        case .null: text += "null"
        case .bool(let flag): text += flag ? "true" : "false"
        case .integer(let number): text += String(number)
        case .number(let number): text += number.isFinite ? "\(number)" : "null"
        case .string(let string): Self.quote(string, into: &text)
        case .list(let items):
            text += "["
            for (index, item) in items.enumerated() {
                if index > 0 { text += "," }
                item.write(to: &text, style)
            }
            text += "]"
        case .map(let members):
            text += "{"
            for (index, key) in members.keys.sorted(by: Self.bytewise).enumerated() {
                if index > 0 { text += "," }
                Self.quote(key, into: &text)
                text += ":"
                (members[key] ?? .null).write(to: &text, style)
            }
            text += "}"
        case .instant(let instant):
            switch style {
            case .tagged: text += "{\"$instant\":\(instant.nanosecondsSince1970)}"
            case .plain: Self.quote(instant.description, into: &text)
            }
        case .duration(let duration):
            switch style {
            case .tagged: text += "{\"$duration\":\(duration.nanoseconds)}"
            case .plain: text += "\(duration.inSeconds)"
            }
        }
    }

    static func bytewise(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

    private static func quote(_ string: String, into text: inout String) {
        // Nearly all: nothing in it is written in another way.
        if string.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            text += "\""
            text += string
            text += "\""
            return
        }
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<"\u{20}":
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }

    /// Reads JSON, the tagged style included. Integers and floating-point numbers stay apart (`1` and `1.0`). Throws `invalid-input`.
    public init(json: String) throws(DRError) {
        var reader = JSONReader(json)
        self = try reader.readDocument()
    }
}

extension Value: Codable {
    /// Inside other Codable types a value stands as itself; in a foreign format as its JSON text.
    public init(from decoder: any Decoder) throws {
        if let box = decoder as? ValueDecoding {
            self = box.value
        } else {
            self = try Value(json: decoder.singleValueContainer().decode(String.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        if let box = encoder as? ValueEncoding {
            box.value = self
        } else {
            var container = encoder.singleValueContainer()
            try container.encode(json())
        }
    }
}
