extension Value {
    /// Canonical JSON: keys in bytewise order, no white space, the same bytes for the same value. NaN and infinities become null.
    public func json(_ style: ValueStyle = .tagged) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128)
        write(to: &bytes, style)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func write(to bytes: inout [UInt8], _ style: ValueStyle) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let flag): bytes += (flag ? "true" : "false").utf8
        case .integer(let number): bytes += String(number).utf8
        case .number(let number): bytes += (number.isFinite ? "\(number)" : "null").utf8
        case .string(let string): Self.quote(string, into: &bytes)
        case .list(let items):
            bytes.append(UInt8(ascii: "["))
            var isFirst = true
            for item in items {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                item.write(to: &bytes, style)
            }
            bytes.append(UInt8(ascii: "]"))
        case .map(let members):
            bytes.append(UInt8(ascii: "{"))
            var isFirst = true
            for (key, member) in members.sorted(by: { Self.bytewise($0.key, $1.key) }) {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                Self.quote(key, into: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.write(to: &bytes, style)
            }
            bytes.append(UInt8(ascii: "}"))
        case .instant(let instant):
            switch style {
            case .tagged: bytes += "{\"$instant\":\(instant.nanosecondsSince1970)}".utf8
            case .plain: Self.quote(instant.description, into: &bytes)
            }
        case .duration(let duration):
            switch style {
            case .tagged: bytes += "{\"$duration\":\(duration.nanoseconds)}".utf8
            case .plain: bytes += "\(duration.inSeconds)".utf8
            }
        }
    }

    static func bytewise(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

    private static func quote(_ string: String, into bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        let start = bytes.count
        bytes += string.utf8
        // Nearly always nothing in it is written in another way.
        if !bytes[start...].allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) {
            bytes.removeSubrange(start...)
            for byte in string.utf8 { escape(byte, into: &bytes) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    // What is written in another way is ASCII, so bytes of other characters stay as they are.
    private static func escape(_ byte: UInt8, into bytes: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): bytes += "\\\"".utf8
        case UInt8(ascii: "\\"): bytes += "\\\\".utf8
        case UInt8(ascii: "\n"): bytes += "\\n".utf8
        case UInt8(ascii: "\r"): bytes += "\\r".utf8
        case UInt8(ascii: "\t"): bytes += "\\t".utf8
        case 0..<0x20: bytes += ("\\u00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)).utf8
        default: bytes.append(byte)
        }
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
